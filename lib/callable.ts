/**
 * Makes objects that can be called, as Python's `__call__`: `await model(inputs)`, `tokenizer(text)`.
 * A subclass writes `_call`; its instances are functions whose prototype is the class.
 */
export abstract class Callable<Arguments extends unknown[], Result> {
  constructor() {
    const self = ((...args: Arguments) => self._call(...args)) as unknown as this & Record<"name" | "length", unknown>;
    // A function's own `name` and `length` would hide what the class defines under these names.
    Reflect.deleteProperty(self, "name");
    Reflect.deleteProperty(self, "length");
    // biome-ignore lint/correctness/noConstructorReturn: the function is the instance
    return Object.setPrototypeOf(self, new.target.prototype);
  }

  abstract _call(...args: Arguments): Result;
}

/** The instance type of a callable class: the object and the call. */
export type Called<Class, Arguments extends unknown[], Result> = Class & ((...args: Arguments) => Result);
