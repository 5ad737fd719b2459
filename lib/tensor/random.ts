// Python's random module: the Mersenne Twister MT19937 with the seeding and the derived draws of CPython.
import { expected } from "../errors.js";

const STATE = 624;
const SHIFT = 397;

/** Numbers equal to those of Python's `random.Random(seed)`. Without a seed they differ from run to run. */
export class Random {
  #state = new Uint32Array(STATE);
  #next = STATE;
  #saved_gauss: number | undefined;

  constructor(seed?: number | bigint | null) {
    this.seed(seed);
  }

  /** Integers count by their absolute value, of any size. */
  seed(value?: number | bigint | null): void {
    if (typeof value === "number" && !Number.isInteger(value)) throw expected("an integer", "seed", value);
    let rest = BigInt(value ?? crypto.getRandomValues(new Uint32Array(1))[0]);
    if (rest < 0n) rest = -rest;
    const key: number[] = [];
    do {
      key.push(Number(rest & 0xffffffffn));
      rest >>= 32n;
    } while (rest > 0n);
    this.#fill(key);
    this.#saved_gauss = undefined;
  }

  // init_by_array of https://github.com/python/cpython/blob/3.11/Modules/_randommodule.c
  #fill(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < STATE; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let i = 1;
    const mix = (factor: number, extra: number) => {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), factor)) + extra;
      if (++i === STATE) {
        state[0] = state[STATE - 1];
        i = 1;
      }
    };
    const rounds = Math.max(STATE, key.length);
    for (let k = 0; k < rounds; k++) mix(1664525, key[k % key.length] + (k % key.length));
    for (let k = 1; k < STATE; k++) mix(1566083941, -i);
    state[0] = 0x80000000;
    this.#next = STATE;
  }

  #bits(): number {
    const state = this.#state;
    if (this.#next === STATE) {
      for (let i = 0; i < STATE; i++) {
        const joined = (state[i] & 0x80000000) | (state[(i + 1) % STATE] & 0x7fffffff);
        state[i] = state[(i + SHIFT) % STATE] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
      }
      this.#next = 0;
    }
    let y = state[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in [0, 1), with 53 bits. */
  random = (): number => {
    const high = this.#bits() >>> 5;
    const low = this.#bits() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  };

  /** Normally distributed; drawn in pairs, as Python draws them. */
  gauss(mu = 0, sigma = 1): number {
    let z = this.#saved_gauss;
    this.#saved_gauss = undefined;
    if (z === undefined) {
      const angle = this.random() * 2 * Math.PI;
      const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
      z = Math.cos(angle) * radius;
      this.#saved_gauss = Math.sin(angle) * radius;
    }
    return mu + z * sigma;
  }

  /** In place. */
  shuffle<T>(items: T[]): void {
    for (let last = items.length - 1; last > 0; last--) {
      const width = 32 - Math.clz32(last + 1);
      let chosen = this.#bits() >>> (32 - width);
      while (chosen > last) chosen = this.#bits() >>> (32 - width);
      [items[last], items[chosen]] = [items[chosen], items[last]];
    }
  }

  /** One of `population`, each as likely as its weight says. */
  choices<T>(population: readonly T[], weights: ArrayLike<number>): T {
    if (population.length === 0 || population.length !== weights.length) {
      throw expected(`${population.length || "at least one"} weights`, "weights", weights);
    }
    const total = Array.from(weights).reduce((a, b) => a + b, 0);
    const point = this.random() * total;
    let sum = 0;
    for (let i = 0; i < population.length; i++) {
      sum += weights[i];
      if (point < sum) return population[i];
    }
    return population[population.length - 1];
  }
}

const shared = new Random();

/** The generator that `rand` and `randn` draw from; `random.seed(42)` makes them repeatable. */
export const random = Object.freeze({
  Random,
  seed: (value?: number | bigint | null) => shared.seed(value),
  random: () => shared.random(),
  gauss: (mu?: number, sigma?: number) => shared.gauss(mu, sigma),
  shuffle: <T>(items: T[]) => shared.shuffle(items),
  choices: <T>(population: readonly T[], weights: ArrayLike<number>) => shared.choices(population, weights),
});
