/** A value of GGUF metadata with its type. */
export type GgufValue =
  | { readonly type: "uint16" | "uint32" | "int32" | "float32"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "float32s" | "int32s"; readonly value: readonly number[] };

/** One tensor's place in a GGUF file; `dimensions` has the row length first. */
export interface GgufTensor {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly type: "f32" | "f16";
  readonly bytes: number;
}

/** Data in a GGUF file starts at multiples of this many bytes. */
export const ggufAlignment = 32;

// Numbers of the types: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
const typeNumbers = { uint16: 2, uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const tensorTypes = { f32: 0, f16: 1 } as const;

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function numbers(type: "float32s" | "int32s", values: readonly number[]): Buffer {
  const typed = type === "float32s" ? new Float32Array(values) : new Int32Array(values);
  return Buffer.from(typed.buffer);
}

function arrayHead(element: number, length: number): Buffer {
  return Buffer.concat([uint32(typeNumbers.array), uint32(element), uint64(length)]);
}

function encodeValue(entry: GgufValue): Buffer {
  switch (entry.type) {
    case "uint16": {
      const value = Buffer.alloc(2);
      value.writeUInt16LE(entry.value);
      return Buffer.concat([uint32(typeNumbers.uint16), value]);
    }
    case "uint32":
      return Buffer.concat([uint32(typeNumbers.uint32), uint32(entry.value)]);
    case "int32":
      return Buffer.concat([uint32(typeNumbers.int32), numbers("int32s", [entry.value])]);
    case "float32":
      return Buffer.concat([uint32(typeNumbers.float32), numbers("float32s", [entry.value])]);
    case "string":
      return Buffer.concat([uint32(typeNumbers.string), text(entry.value)]);
    case "strings":
      return Buffer.concat([
        arrayHead(typeNumbers.string, entry.value.length),
        ...entry.value.map(text),
      ]);
    case "float32s":
    case "int32s": {
      const element = entry.type === "float32s" ? typeNumbers.float32 : typeNumbers.int32;
      return Buffer.concat([
        arrayHead(element, entry.value.length),
        numbers(entry.type, entry.value),
      ]);
    }
  }
}

/** Bytes of padding that bring `size` to the alignment. */
export function paddingAfter(size: number): number {
  return (ggufAlignment - (size % ggufAlignment)) % ggufAlignment;
}

/** Head of a GGUF version 3 file: magic, metadata and tensor table, padded up to where the data starts. */
export function ggufHead(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Buffer {
  const entries = Object.entries(metadata);
  const parts = [Buffer.from("GGUF"), uint32(3), uint64(tensors.length), uint64(entries.length)];
  for (const [key, value] of entries) parts.push(text(key), encodeValue(value));
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(text(tensor.name), uint32(tensor.dimensions.length));
    parts.push(...tensor.dimensions.map(uint64), uint32(tensorTypes[tensor.type]), uint64(offset));
    offset += tensor.bytes + paddingAfter(tensor.bytes);
  }
  const head = Buffer.concat(parts);
  return Buffer.concat([head, Buffer.alloc(paddingAfter(head.length))]);
}
