// Adapters of a model, under the names of Transformers' integration of PEFT.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/integrations/peft.py `PeftAdapterMixin`
import { Callable } from "../../callable.js";
import { expected, TransformersError, warn_once } from "../../errors.js";
import { type NativeStateDict, native } from "../../native.js";
import type { ParameterSpec } from "../initialization.js";
import type { ModelOutput } from "../outputs.js";
import { type Adapter, type LoadAdapterOptions, load_adapter } from "./adapter.js";
import type { LoraConfig } from "./config.js";

const no_adapter = () => new TransformersError("No adapter loaded. Please load an adapter first.", "no_adapter");

/** The tensors that adapters change: with `pairs: false` those that they replace. */
function adapted_names(adapters: readonly Adapter[], { pairs = true } = {}): Set<string> {
  return new Set(adapters.flatMap((one) => [...one.replacements.keys(), ...(pairs ? one.pairs.keys() : [])]));
}

export abstract class PeftAdapterMixin extends Callable<[unknown?, Record<string, unknown>?], Promise<ModelOutput>> {
  private readonly adapters = new Map<string, Adapter>();
  private active: string[] = [];
  private enabled = true;

  abstract parameters(): ParameterSpec[];
  abstract tied_weights(): (readonly [string, string])[];
  protected abstract check_alive(): void;
  protected abstract require_tensors(method: string): NativeStateDict;
  /** Makes an adapter ready before it is active. @throws TransformersError for one that the engine cannot use. */
  protected abstract attach_adapter(adapter: Adapter): Promise<void>;
  /** The adapters that the next calls are to be computed with are others, of these. */
  protected abstract adapters_changed(before: readonly Adapter[]): void;
  /** The next call builds another engine of the tensors; this one ends with the calls that it runs. */
  protected abstract retire_engine(): void;
  /** Frees what attach_adapter() made. */
  protected abstract detach_adapter(adapter: Adapter): void;
  /** Matrices that stand transposed in the checkpoint. */
  protected transposed_weights(): Set<string> {
    return new Set();
  }

  /** The parameters that adapters change, by name and shape. */
  protected adapted_parameters(): ParameterSpec[] {
    return this.parameters();
  }

  /** The configurations of the adapters by name. */
  get peft_config(): Record<string, LoraConfig> {
    return Object.fromEntries([...this.adapters].map(([name, { config }]) => [name, config]));
  }

  /**
   * Loads a LoRA adapter (adapter_config.json and adapter_model.safetensors, as PEFT writes them) from a folder or the
   * Hub, and makes it the active one. Calls under way end with the adapters that they began with.
   * @throws TypeError for a name that is taken; TransformersError `adapter_unsupported`, `adapter_invalid`, `file_not_found`.
   */
  async load_adapter(peft_model_id?: string, options: LoadAdapterOptions = {}): Promise<void> {
    this.check_alive();
    const { adapter_name = "default", ...rest } = options;
    if (typeof adapter_name !== "string" || adapter_name === "") throw expected("a name", "adapter_name", adapter_name);
    this.check_free(adapter_name);
    const adapter = await load_adapter(peft_model_id, rest, this.adapted_parameters());
    adapter.drop_copies(this.tensor_values);
    await this.attach_adapter(adapter);
    this.check_free(adapter_name);
    this.change(() => {
      this.adapters.set(adapter_name, adapter);
      this.active = [adapter_name];
    });
  }

  /** A tensor of the model, flat; undefined where there are none. */
  protected tensor_values = (name: string): Float32Array | undefined =>
    this.adapted_tensor([], this.require_tensors("load_adapter"), name);

  private check_free(name: string): void {
    if (this.adapters.has(name))
      throw new TypeError(`Adapter with name ${name} already exists. Please use a different name.`);
  }

  /** Makes one adapter, or several together, those that the following calls use. Calls under way keep theirs. */
  set_adapter(adapter_name: string | string[]): void {
    if (this.adapters.size === 0) throw no_adapter();
    const loaded = [...this.adapters.keys()];
    const list = loaded.map((name) => `'${name}'`).join(", ");
    if (Array.isArray(adapter_name)) {
      const missing = adapter_name.filter((name) => !this.adapters.has(name));
      if (missing.length > 0)
        throw new TypeError(
          `Following adapter(s) could not be found: ${missing.join(", ")}. Make sure you are passing the correct adapter name(s). current loaded adapters are: [${list}]`,
        );
    } else if (!this.adapters.has(adapter_name))
      throw new TypeError(
        `Adapter with name ${adapter_name} not found. Please pass the correct adapter name among [${list}]`,
      );
    this.change(() => {
      this.active = [...new Set([adapter_name].flat())];
    });
  }

  /** From now on the model computes without adapters. */
  disable_adapters(): void {
    this.switch(false);
  }

  enable_adapters(): void {
    this.switch(true);
  }

  private switch(enabled: boolean): void {
    if (this.adapters.size === 0) throw no_adapter();
    this.change(() => {
      this.enabled = enabled;
    });
  }

  /** The names of the active adapters, also while they are disabled. */
  active_adapters(): string[] {
    if (this.adapters.size === 0) throw no_adapter();
    return [...this.active];
  }

  /** The tensors of an adapter (default: the active one), without the prefix that PEFT's files have. */
  get_adapter_state_dict(adapter_name?: string): NativeStateDict {
    if (this.adapters.size === 0) throw no_adapter();
    const name = adapter_name ?? this.active[0];
    const adapter = this.adapters.get(name);
    if (!adapter) throw new TypeError(`Adapter with name ${name} not found.`);
    return adapter.state_dict();
  }

  /** Python makes adapters to train; there is no training here. */
  add_adapter(): never {
    throw new TransformersError(
      "add_adapter makes an adapter to train, and there is no training here: load_adapter loads one",
      "unsupported",
    );
  }

  /** Removes adapters. Where an active one goes, the first that is left becomes active. */
  delete_adapter(adapter_names: string | string[]): void {
    if (this.adapters.size === 0) throw no_adapter();
    const names = [adapter_names].flat();
    const missing = names.filter((name) => !this.adapters.has(name));
    if (missing.length > 0)
      throw new TypeError(`The following adapter(s) are not present and cannot be deleted: ${missing.join(", ")}`);
    const gone = names.map((name) => this.adapters.get(name) as Adapter);
    this.change(() => {
      for (const name of names) this.adapters.delete(name);
      this.active = this.active.filter((name) => this.adapters.has(name));
      if (this.active.length === 0) this.active = [...this.adapters.keys()].slice(0, 1);
      if (this.adapters.size === 0) this.enabled = true;
    });
    for (const adapter of new Set(gone)) this.detach_adapter(adapter);
  }

  /**
   * Adds the active adapters to the weights for good, and forgets all adapters; PEFT's name. Returns the model.
   * @throws TransformersError for a model in a GGUF file, and where a tied matrix would change on one side only.
   */
  async merge_and_unload(): Promise<this> {
    if (this.adapters.size === 0) throw no_adapter();
    const state = this.require_tensors("merge_and_unload");
    const chosen = this.chosen_adapters();
    const tied = new Set(this.tied_weights().flat());
    for (const adapter of chosen)
      for (const name of [...adapter.pairs.keys(), ...adapter.replacements.keys()])
        if (tied.has(name))
          throw new TransformersError(
            `${name} shares its tensor with another weight, so that an adapter of it cannot be merged`,
            "unsupported",
          );
    for (const name of adapted_names(chosen)) {
      this.adapt(chosen, state, name);
      await new Promise(setImmediate);
    }
    this.delete_adapter([...this.adapters.keys()]);
    this.retire_engine();
    return this;
  }

  protected get loaded_adapters(): Adapter[] {
    return [...this.adapters.values()];
  }

  /** The adapters that a call made now is computed with. */
  protected chosen_adapters(): Adapter[] {
    return this.enabled ? this.active.map((name) => this.adapters.get(name) as Adapter) : [];
  }

  private change(apply: () => void): void {
    const before = this.chosen_adapters();
    apply();
    const after = this.chosen_adapters();
    if (before.length !== after.length || before.some((adapter, i) => adapter !== after[i]))
      this.adapters_changed(before);
  }

  /** Makes a tensor of `state` what adapters make of it, in float32: with `pairs: false` only what replaces it. */
  private adapt(adapters: readonly Adapter[], state: NativeStateDict, name: string, { pairs = true } = {}): void {
    const replacing = adapters.findLast((one) => one.replacements.has(name));
    if (replacing)
      state.set(name, "F32", state.info(name).shape, replacing.read(replacing.replacements.get(name) as string));
    for (const adapter of pairs ? adapters : []) adapter.add_to(state, name, this.transposed_weights().has(name));
  }

  /** A tensor as adapters make it, float32 and flat. */
  protected adapted_tensor(adapters: readonly Adapter[], state: NativeStateDict, name: string): Float32Array {
    const own = new (native().StateDict)(state);
    this.adapt(adapters, own, name);
    const values = new Float32Array(own.info(name).shape.reduce((product, size) => product * size, 1));
    own.read_f32(name, values);
    own.dispose();
    return values;
  }

  /** Runs `build` while `state` holds the tensors as the active adapters make them. */
  protected with_adapted<Result>(state: NativeStateDict, options: { pairs?: boolean }, build: () => Result): Result {
    const chosen = this.chosen_adapters();
    const kept: [string, string][] = [];
    try {
      for (const name of adapted_names(chosen, options)) {
        const original = `${name}\0base_layer`;
        state.alias(original, name);
        kept.push([name, original]);
        this.adapt(chosen, state, name, options);
      }
      return build();
    } finally {
      for (const [name, original] of kept) {
        state.alias(name, original);
        state.delete(original);
      }
    }
  }

  /** Saves the active adapter, as Python does for a model with adapters. False: there is none. */
  protected async save_adapter(folder: string): Promise<boolean> {
    if (this.adapters.size === 0) return false;
    if (this.active.length > 1)
      throw new TransformersError(
        "Multiple active adapters detected, saving multiple active adapters is not supported yet. You can save adapters separately one by one by iteratively calling `model.set_adapter(adapter_name)` then `model.save_pretrained(...)`",
        "unsupported",
      );
    warn_once(
      "Detected adapters on the model, saving the model in the PEFT format, only adapter weights will be saved.",
    );
    await (this.adapters.get(this.active[0]) as Adapter).save_pretrained(folder);
    return true;
  }
}
