// Modules: objects whose property paths are the names of a checkpoint's tensors. https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import type { ParameterSpec } from "../models/initialization.js";
import type { Sym } from "./sym.js";
import { Trace } from "./trace.js";

/** How a fresh tensor is drawn; `std` of "normal" defaults to the configuration's initializer_range. */
export type Initialization = Pick<ParameterSpec, "init" | "std" | "padding_idx" | "buffer">;

/** A tensor that a model computes with: one of the checkpoint, or what a module makes of some. */
export interface Weight {
  readonly shape: readonly number[];
  sym(): Sym;
}

/** A tensor of the checkpoint. Its name is the path to it, given by `bind`. */
export class Parameter implements Weight {
  name = "";
  readonly shape: number[];
  readonly initialization: Initialization;

  constructor(shape: number[], initialization: Initialization | ParameterSpec["init"] = "normal") {
    this.shape = shape;
    this.initialization = typeof initialization === "object" ? initialization : { init: initialization };
  }

  get spec(): ParameterSpec {
    return { name: this.name, shape: this.shape, ...this.initialization };
  }

  sym(): Sym {
    return Trace.current.parameter(this.spec);
  }
}

/** A part of a model. A subclass declares parameters and modules as properties, and computes in `forward`. */
export abstract class Module {
  /** Where it is in its model: "encoder.layer.0.attention". */
  path = "";
  // biome-ignore lint/suspicious/noExplicitAny: each module has its own arguments
  abstract forward(...inputs: any[]): unknown;
}

/** A module that is made from its model's configuration: its properties can be declared with `this.config`. */
export abstract class Block<Config = PretrainedConfig> extends Module {
  protected readonly config: Config;

  constructor(config: Config) {
    super();
    this.config = config;
  }
}

/** An object whose properties are modules and parameters: a Module, or a whole model. */
export type ModuleTree = object;

/** The modules of a class in a tree, such as all embeddings. */
export function modules_of<Kind extends Module>(
  root: ModuleTree,
  kind: abstract new (...args: never[]) => Kind,
  is_tree: (value: unknown) => boolean = () => false,
): Kind[] {
  const found: Kind[] = [];
  visit(root, "", { parameter() {}, module: (module) => module instanceof kind && found.push(module) }, is_tree);
  return found;
}

interface Visitor {
  parameter(parameter: Parameter, name: string): void;
  module?(module: Module, path: string): unknown;
}

/**
 * Visits parameters and modules as torch's state_dict() lists them: a module's own parameters, then its modules, in the
 * order of their declaration. `is_tree`: whether a property is to be entered.
 */
function visit(tree: ModuleTree, prefix: string, visitor: Visitor, is_tree: (value: unknown) => boolean): void {
  const properties = Object.entries(tree);
  for (const [key, value] of properties) if (value instanceof Parameter) visitor.parameter(value, `${prefix}${key}`);
  for (const [key, value] of properties) {
    const path = `${prefix}${key}`;
    if (value instanceof Module || is_tree(value)) {
      if (value instanceof Module) visitor.module?.(value, path);
      visit(value as object, `${path}.`, visitor, is_tree);
    } else if (Array.isArray(value) && value.some((item) => item instanceof Module))
      visit(value, `${path}.`, visitor, is_tree);
  }
}

/**
 * Gives every parameter its name and every module its path; from then on an error inside a module's forward() names it.
 * Called once, on the whole model. Returns the parameters.
 */
export function bind(root: ModuleTree, is_tree: (value: unknown) => boolean = () => false): Parameter[] {
  const parameters: Parameter[] = [];
  visit(
    root,
    "",
    {
      parameter(parameter, name) {
        parameter.name = name;
        parameters.push(parameter);
      },
      module(module, path) {
        module.path = path;
        // The prototype's forward: a model may be bound again as a part of another.
        const forward = Object.getPrototypeOf(module).forward as Module["forward"];
        const bound = (...inputs: unknown[]) => Trace.current.within(path, () => forward.apply(module, inputs));
        Object.defineProperty(module, "forward", { value: bound, configurable: true, enumerable: false });
      },
    },
    is_tree,
  );
  return parameters;
}
