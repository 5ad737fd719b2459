// Settings of a watermark in generated text.
import { expected } from "../errors.js";
import { floats_of, with_floats } from "../python.js";

/** Source: `WatermarkingConfig` of generation/configuration_utils.py. */
export class WatermarkingConfig {
  /** The share of the vocabulary that is preferred, 0 to 1. */
  greenlist_ratio = 0.25;
  /** Added to the preferred tokens' logits. */
  bias = 2;
  hashing_key = 15485863;
  seeding_scheme: "lefthash" | "selfhash" = "lefthash";
  /** Tokens before the next that choose the preferred ones. */
  context_width = 1;

  constructor(kwargs: Partial<WatermarkingConfig> = {}) {
    for (const [name, value] of Object.entries(kwargs)) {
      if (!Object.hasOwn(this, name)) throw expected("fields of WatermarkingConfig", "watermarking_config", name);
      if (value !== undefined) Object.assign(this, { [name]: value });
    }
    with_floats<object>(this, floats_of(kwargs) ?? ["greenlist_ratio", "bias"]);
    this.validate();
  }

  validate(): void {
    const check = (key: keyof WatermarkingConfig, ok: boolean, correct: string) => {
      if (ok) return;
      throw new RangeError(
        `Some of the keys in \`watermarking_config\` are defined incorrectly. \`${key}\` should be ${correct}\` but found ${this[key]}`,
      );
    };
    check("seeding_scheme", ["selfhash", "lefthash"].includes(this.seeding_scheme), "[`selfhash`, `lefthash`]");
    const ratio = this.greenlist_ratio;
    check("greenlist_ratio", ratio >= 0 && ratio <= 1, "in range between 0.0 and 1.0");
    check("context_width", Number.isInteger(this.context_width) && this.context_width >= 1, "a positive integer");
    check("bias", typeof this.bias === "number", "a number");
    check("hashing_key", Number.isSafeInteger(this.hashing_key), "an integer");
  }

  to_dict(): Record<string, unknown> {
    return with_floats(Object.fromEntries(Object.entries(this)), floats_of(this) ?? []);
  }
}
