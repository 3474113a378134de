import { open } from "node:fs/promises";
import type { TensorInfo } from "../../components/catalogue/from-config/tensors.ts";
import { UserError } from "../../components/user-error.ts";
import { safetensorsBits } from "../../components/weights/safetensors-bits.ts";

/**
 * Longest header that is read, bytes: what the format itself allows
 * (https://github.com/huggingface/safetensors, MAX_HEADER_SIZE).
 */
const maxHeaderBytes = 100_000_000;

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly end: number;
  /** Why the sizes do not agree; undefined when they do. */
  readonly wrong: string | undefined;
}

function readEntry(value: unknown): Entry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { dtype, shape, data_offsets: offsets } = value as Readonly<Record<string, unknown>>;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !shape.every(isCount)) return undefined;
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) return undefined;
  const [begin = 0, end = 0] = offsets;
  const bits = safetensorsBits[dtype];
  const size = shape.reduce((product, side) => product * side, bits ?? 0) / 8;
  const wrong =
    bits !== undefined && size !== end - begin
      ? `its shape [${shape.join(", ")}] of ${dtype} is ${size} bytes, and its place has ${end - begin}`
      : undefined;
  return { dtype, shape, end, wrong };
}

function tensorsOf(
  header: unknown,
  dataBytes: number,
  problem: (text: string) => void,
): readonly TensorInfo[] {
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    problem("its header is no JSON object");
    return [];
  }
  const tensors: TensorInfo[] = [];
  let bad = 0;
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const entry = readEntry(value);
    const beyond = entry !== undefined && entry.end > dataBytes;
    const wrong =
      entry === undefined
        ? "is no description of a tensor"
        : beyond
          ? "lies beyond the end of the file"
          : entry.wrong;
    if (entry !== undefined && wrong === undefined) {
      tensors.push({ name, dtype: entry.dtype, shape: entry.shape });
    } else {
      bad += 1;
      if (bad <= 3) problem(`tensor ${name.slice(0, 80)}: ${wrong ?? ""}`);
    }
  }
  if (bad > 3) problem(`and ${bad - 3} more tensors are wrong`);
  return tensors;
}

/** The tensors that a safetensors file lists, and its size in bytes. Reads the header alone. */
export async function readSafetensorsHeader(
  path: string,
): Promise<{ readonly tensors: readonly TensorInfo[]; readonly bytes: number }> {
  const problems: string[] = [];
  const problem = (text: string): void => void problems.push(`${path}: ${text}`);
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const length = Buffer.alloc(8);
    const { bytesRead } = await file.read(length, 0, 8, 0);
    const headerBytes = bytesRead === 8 ? length.readBigUInt64LE() : 0n;
    let tensors: readonly TensorInfo[] = [];
    if (bytesRead < 8)
      problem("is shorter than the 8 bytes that every safetensors file begins with");
    else if (headerBytes > BigInt(maxHeaderBytes))
      problem(`says that its header has ${headerBytes} bytes; ${maxHeaderBytes} are allowed`);
    else if (headerBytes > BigInt(size - 8))
      problem(`is cut off: its header has ${headerBytes} bytes, and the file ${size}`);
    else {
      const header = Buffer.alloc(Number(headerBytes));
      await file.read(header, 0, header.length, 8);
      tensors = tensorsOf(parseHeader(header, problem), size - 8 - header.length, problem);
    }
    if (problems.length === 0) return { tensors, bytes: size };
  } finally {
    await file.close();
  }
  throw new UserError(`${path} is not a whole safetensors file.`, {
    problems,
    hint: "Download it again; git-lfs leaves a small pointer where it did not fetch the file.",
  });
}

function parseHeader(header: Buffer, problem: (text: string) => void): unknown {
  try {
    return JSON.parse(header.toString("utf8"));
  } catch {
    problem("its header is no JSON");
    return {};
  }
}
