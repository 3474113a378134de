import { safetensorsBits } from "../../components/weights/safetensors-bits.ts";

/** The longest header that safetensors readers take, bytes (https://github.com/huggingface/safetensors#format). */
const longestHeader = 100_000_000;

/** Bytes at the start of a file that say how long a safetensors header is. */
export const headerLengthBytes = 8;

/**
 * Length of a safetensors header from the first eight bytes, or what is wrong with it.
 *
 * @param size of the file, bytes
 */
export function safetensorsHeaderBytes(start: Buffer, size: number): number | string {
  if (start.toString("latin1", 0, 8) === "version ") {
    return "is a git-lfs pointer, not the weights; fetch them with: git lfs pull";
  }
  if (size < headerLengthBytes || start.length < headerLengthBytes) return "is too short";
  const length = start.readBigUInt64LE(0);
  if (length > BigInt(longestHeader)) {
    return `claims a header of ${length} bytes; ${longestHeader} are allowed`;
  }
  if (BigInt(size) < BigInt(headerLengthBytes) + length) return "is cut off within its header";
  return Number(length);
}

interface Tensor {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function isCounts(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
  );
}

/** One entry of the header, or what is wrong with it. */
function tensorOf(name: string, entry: unknown): Tensor | string {
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  const [start, end] = isCounts(offsets) ? offsets : [];
  if (start === undefined || end === undefined || end < start || !isCounts(shape)) {
    return `has a header that does not say where tensor "${name}" lies`;
  }
  const bits = typeof dtype === "string" ? safetensorsBits[dtype] : undefined;
  // A number format that came after this table was made is judged by its place alone.
  const elements = shape.reduce((product, each) => product * each, 1);
  if (bits !== undefined && Math.ceil((elements * bits) / 8) !== end - start) {
    return `has ${end - start} bytes for tensor "${name}", which its shape does not fill`;
  }
  return { name, start, end };
}

/**
 * What is wrong with a safetensors header; undefined when nothing is: JSON, every tensor of the size that its shape says,
 * one after the other without a hole or an overlap, up to the end of the file.
 *
 * @param size of the file, bytes
 */
export function safetensorsProblem(header: Buffer, size: number): string | undefined {
  let entries: [string, unknown][];
  try {
    if (header[0] !== "{".charCodeAt(0)) return "has a header that is not JSON";
    entries = Object.entries(JSON.parse(header.toString("utf8")) as object);
  } catch {
    return "has a header that is not JSON";
  }
  const tensors = entries
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => tensorOf(name, entry));
  const wrong = tensors.find((each) => typeof each === "string");
  if (wrong !== undefined) return wrong;
  const placed = (tensors as Tensor[]).toSorted((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { name, start, end } of placed) {
    if (start !== at) return `has a hole or an overlap before tensor "${name}"`;
    at = end;
  }
  const data = size - headerLengthBytes - header.length;
  if (at === data) return undefined;
  return at > data
    ? `is cut off: ${data} bytes of data, ${at} are named in its header`
    : `has ${data - at} bytes after its last tensor`;
}

/** What is wrong with the start of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); undefined when nothing is. */
export function ggufProblem(start: Buffer): string | undefined {
  if (start.toString("latin1", 0, 8) === "version ") {
    return "is a git-lfs pointer, not the weights; fetch them with: git lfs pull";
  }
  if (start.length < 8 || start.toString("latin1", 0, 4) !== "GGUF") return "is not a GGUF file";
  const version = start.readUInt32LE(4);
  return version >= 1 && version <= 3 ? undefined : `has GGUF version ${version}; 1 to 3 are known`;
}
