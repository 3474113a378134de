import { demoArchitecture, elementCount, type TensorPlan } from "./architecture.ts";
import { firstWord } from "./vocabulary.ts";

const tableSize = 4096;

/** IEEE 754 half of a number that is small and finite, as its 16 bits; rounds to nearest. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -24) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const step = 2 ** (exponent - 10);
  const mantissa = Math.round(magnitude / step);
  return sign + (exponent + 14) * 1024 + mantissa;
}

/** A bell curve cut into equally likely slices; drawing an index draws a value. */
function bellCurve(deviation: number): Uint16Array {
  const table = new Uint16Array(tableSize);
  for (let index = 0; index < tableSize; index += 1) {
    const share = (index + 0.5) / tableSize;
    // The logistic quantile is close to the normal one, and needs no iteration.
    table[index] = halfBits((Math.log(share / (1 - share)) / 1.702) * deviation);
  }
  return table;
}

function seedOf(name: string): number {
  let seed = 0x811c9dc5;
  for (const character of name) {
    seed = Math.imul(seed ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return seed === 0 ? 1 : seed;
}

/** The tensor's values as half floats, row by row: the same on every machine, since its name is the seed. */
export function tensorValues(tensor: TensorPlan): Uint16Array {
  const values = new Uint16Array(elementCount(tensor));
  if (tensor.deviation === 0) return values.fill(halfBits(1));
  const table = bellCurve(tensor.deviation);
  let state = seedOf(tensor.safetensorsName);
  for (let index = 0; index < values.length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[index] = table[state & (tableSize - 1)] ?? 0;
  }
  // Rows of zeros give bytes and control tokens a low rank, so that the answer is made of words.
  if (tensor.ggufName === "output.weight") values.fill(0, 0, firstWord * (tensor.shape[1] ?? 1));
  return values;
}

/** The rows in the order that GGUF wants: rotary halves interleaved, where safetensors keeps them apart. */
export function ggufRowOrder(tensor: TensorPlan, values: Uint16Array): Uint16Array {
  if (tensor.rowOrder === "plain") return values;
  const { headDimension } = demoArchitecture;
  const rows = tensor.shape[0];
  const columns = values.length / rows;
  const ordered = new Uint16Array(values.length);
  for (let row = 0; row < rows; row += 1) {
    const head = Math.floor(row / headDimension);
    const place = row % headDimension;
    const half = (place % 2) * (headDimension / 2);
    const from = head * headDimension + half + Math.floor(place / 2);
    ordered.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return ordered;
}
