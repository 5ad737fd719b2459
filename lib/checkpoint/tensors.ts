// The values of a checkpoint's tensors in JavaScript.
import { from_native } from "../errors.js";
import type { CheckpointDtype, NativeStateDict } from "../native.js";

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
} as const;

export interface CheckpointTensor {
  dtype: CheckpointDtype;
  shape: number[];
  /** The array of the dtype; F16 and BF16 as their bits, what JavaScript has no array for as bytes. */
  data: NodeJS.TypedArray;
}

/** A copy of a tensor. */
export function read_tensor(state: NativeStateDict, name: string): CheckpointTensor {
  try {
    const { dtype, shape, nbytes } = state.info(name);
    const type = dtype in ARRAYS ? ARRAYS[dtype as keyof typeof ARRAYS] : Uint8Array;
    const data = new type(nbytes / type.BYTES_PER_ELEMENT);
    state.read(name, data);
    return { dtype, shape, data };
  } catch (error) {
    throw from_native(error);
  }
}

/** A tensor's elements as float32. */
export function read_f32(state: NativeStateDict, name: string): Float32Array {
  try {
    const { shape } = state.info(name);
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    state.read_f32(name, data);
    return data;
  } catch (error) {
    throw from_native(error);
  }
}
