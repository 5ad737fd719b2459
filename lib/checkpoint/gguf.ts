import { open } from "node:fs/promises";
import { TransformersError } from "../errors.js";
import { GGML_TYPES } from "./ggml_types.js";

export type GgufScalar = number | bigint | boolean | string;
/** Numbers of an array are in a typed array, 64-bit integers too. */
export type GgufArray = Exclude<ArrayBufferView, DataView> | string[] | boolean[] | GgufArray[];
export type GgufMetadataValue = GgufScalar | GgufArray;

export interface GgufHeader {
  version: number;
  tensor_count: number;
  metadata: Map<string, GgufMetadataValue>;
}

/** A tensor in a GGUF file. */
export interface GgufTensorInfo {
  name: string;
  /** In Python's order: the last dimension is contiguous. */
  shape: number[];
  /** ggml's name, such as "Q4_K". */
  dtype: string;
  nbytes: number;
}

/** The file goes on after what has been read of it. */
class EndOfBuffer extends Error {}

// gguf_metadata_value_type of the GGUF specification.
const [UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64] = Array.from(
  { length: 13 },
  (_, i) => i,
) as [number, number, number, number, number, number, number, number, number, number, number, number, number];

const TYPED = new Map<
  number,
  { bytes: number; array: new (buffer: ArrayBuffer) => Exclude<ArrayBufferView, DataView> }
>([
  [UINT8, { bytes: 1, array: Uint8Array }],
  [INT8, { bytes: 1, array: Int8Array }],
  [UINT16, { bytes: 2, array: Uint16Array }],
  [INT16, { bytes: 2, array: Int16Array }],
  [UINT32, { bytes: 4, array: Uint32Array }],
  [INT32, { bytes: 4, array: Int32Array }],
  [FLOAT32, { bytes: 4, array: Float32Array }],
  [UINT64, { bytes: 8, array: BigUint64Array }],
  [INT64, { bytes: 8, array: BigInt64Array }],
  [FLOAT64, { bytes: 8, array: Float64Array }],
]);

const MAX_DEPTH = 4;

/** Reads values one after the other out of the file's first bytes. Little-endian, as nearly every GGUF file is. */
class Cursor {
  #at = 0;

  constructor(
    readonly bytes: Buffer,
    readonly file_size: number,
  ) {}

  fail(what: string): never {
    throw new TransformersError(`Invalid GGUF file: ${what} at byte ${this.#at}`, "gguf_invalid");
  }

  /** Moves on by `length`, which no file can claim beyond its own end. */
  take(length: number, what: string): number {
    const at = this.#at;
    if (length > this.file_size - at) this.fail(`${what} of ${length} bytes goes beyond the end of the file`);
    if (at + length > this.bytes.length) throw new EndOfBuffer();
    this.#at = at + length;
    return at;
  }

  u32(what: string): number {
    return this.bytes.readUInt32LE(this.take(4, what));
  }

  u64(what: string): bigint {
    return this.bytes.readBigUInt64LE(this.take(8, what));
  }

  /** A count or a length: 64 bits, of which only a file's size makes sense. */
  size(what: string): number {
    const value = this.u64(what);
    if (value > BigInt(this.file_size)) this.fail(`${what} ${value} is larger than the file`);
    return Number(value);
  }

  string(what: string): string {
    const length = this.size(`the length of ${what}`);
    const at = this.take(length, what);
    return this.bytes.toString("utf8", at, at + length);
  }

  scalar(type: number, what: string): GgufScalar {
    if (type === STRING) return this.string(what);
    if (type === BOOL) {
      const value = this.bytes[this.take(1, what)]!;
      return value > 1 ? this.fail(`${what} is a bool of ${value}`) : value === 1;
    }
    const typed = TYPED.get(type);
    if (!typed) this.fail(`${what} has the unknown type ${type}`);
    const at = this.take(typed.bytes, what);
    const value = (new typed.array(copy(this.bytes, at, typed.bytes)) as unknown as ArrayLike<number | bigint>)[0]!;
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  array(what: string, depth = 1): GgufArray {
    const type = this.u32(`the type of ${what}`);
    const count = this.size(`the length of ${what}`);
    const typed = TYPED.get(type);
    if (typed) return new typed.array(copy(this.bytes, this.take(count * typed.bytes, what), count * typed.bytes));
    if (type === ARRAY && depth >= MAX_DEPTH) this.fail(`${what} is nested too deeply`);
    const items: (GgufArray | string | boolean)[] = [];
    for (let i = 0; i < count; i++) {
      items.push(type === ARRAY ? this.array(what, depth + 1) : (this.scalar(type, what) as string | boolean));
    }
    return items as GgufArray;
  }
}

/** A copy, because typed arrays need their own alignment. */
function copy(bytes: Buffer, at: number, length: number): ArrayBuffer {
  return new Uint8Array(bytes.subarray(at, at + length)).buffer;
}

function parse(cursor: Cursor): GgufHeader {
  if (cursor.u32("the magic number") !== 0x46554747) cursor.fail("it does not start with 'GGUF'");
  const version = cursor.u32("the version");
  if (version > 0xffff) cursor.fail("it is big-endian, which is not supported");
  if (version !== 2 && version !== 3) cursor.fail(`version ${version} is not supported (2 and 3 are)`);
  const tensor_count = cursor.size("the number of tensors");
  const entries = cursor.size("the number of metadata entries");
  const metadata = new Map<string, GgufMetadataValue>();
  for (let i = 0; i < entries; i++) {
    const key = cursor.string("a metadata key");
    if (metadata.has(key)) cursor.fail(`the metadata key "${key}" occurs twice`);
    const type = cursor.u32(`the type of "${key}"`);
    metadata.set(key, type === ARRAY ? cursor.array(`"${key}"`) : cursor.scalar(type, `"${key}"`));
  }
  return { version, tensor_count, metadata };
}

const MAX_DIMENSIONS = 4;

function parse_tensor(cursor: Cursor): GgufTensorInfo {
  const name = cursor.string("a tensor's name");
  const dimensions = cursor.u32(`the number of dimensions of "${name}"`);
  if (dimensions > MAX_DIMENSIONS) cursor.fail(`"${name}" has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => Number(cursor.u64(`a dimension of "${name}"`))).reverse();
  const id = cursor.u32(`the type of "${name}"`);
  const type = GGML_TYPES.get(id);
  if (!type) return cursor.fail(`"${name}" has the unknown type ${id}`);
  cursor.u64(`the offset of "${name}"`);
  const elements = shape.reduce((product, size) => product * size, 1);
  const nbytes = Math.ceil(elements / type.block) * type.bytes;
  if (nbytes > cursor.file_size) cursor.fail(`"${name}" is larger than the file`);
  return { name, shape, dtype: type.name, nbytes };
}

/** Most headers fit; a larger one is read again, with twice as much. */
const FIRST_READ = 1 << 24;

/**
 * Reads the metadata of a GGUF file, and nothing of its tensors.
 * @throws TransformersError "gguf_invalid" that says what is wrong where
 */
export function read_gguf(path: string): Promise<GgufHeader> {
  return read_start(path, parse);
}

/** Reads what a GGUF file says of its tensors too, and nothing of their values. Errors as of `read_gguf`. */
export function read_gguf_tensors(path: string): Promise<GgufHeader & { tensors: GgufTensorInfo[] }> {
  return read_start(path, (cursor) => {
    const header = parse(cursor);
    const tensors: GgufTensorInfo[] = [];
    for (let i = 0; i < header.tensor_count; i++) tensors.push(parse_tensor(cursor));
    return { ...header, tensors };
  });
}

async function read_start<T>(path: string, parse: (cursor: Cursor) => T): Promise<T> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let length = Math.min(FIRST_READ, size); ; length = Math.min(2 * length, size)) {
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, filled);
        if (bytesRead === 0) throw new TransformersError(`${path} became shorter while it was read`, "gguf_invalid");
        filled += bytesRead;
      }
      try {
        return parse(new Cursor(bytes, size));
      } catch (error) {
        if (!(error instanceof EndOfBuffer) || length === size) throw error;
      }
    }
  } finally {
    await file.close();
  }
}
