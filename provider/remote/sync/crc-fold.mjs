// Most bytes of a long message need no table. A sum of few powers of x^128 that the CRC's polynomial divides says: to the CRC,
// a block of sixteen bytes is the same as copies of itself some blocks later. Each block is moved on like that, by exclusive
// ors of whole blocks, until the last few kilobytes are left: their CRC is the message's.

import { leb, op, repeat, tree, type } from "./wasm.mjs";

const blockBytes = 16;
/** Blocks of one turn of the loop. */
const turn = 4;

/**
 * Exponents of x^128 whose sum is a multiple of a polynomial, found by looking for collisions among the sums of half as
 * many powers; were one wrong, long messages would have other checksums than in the tests. By the reflected polynomial.
 */
const multiples = new Map([
  [0x9a6c9329ac4bc9b5n, [0, 7, 22, 440, 460, 475, 503, 525, 580, 620]],
  [0x82f63b78n, [0, 14, 39, 54, 144, 209]],
  [0xedb88320n, [0, 79, 85, 123, 186, 203]],
]);

/** How a polynomial's messages are folded, and how many bytes are left then; undefined without a known multiple. */
export function foldOf(polynomial) {
  const exponents = multiples.get(polynomial);
  if (exponents === undefined) return undefined;
  const turnBytes = turn * blockBytes;
  const spanBytes = exponents.at(-1) * blockBytes;
  return {
    exponents,
    turnBytes,
    spanBytes,
    restBytes: Math.ceil(spanBytes / turnBytes) * turnBytes,
  };
}

/**
 * fold(at, end, from, to): blocks from `at` are written to `to`, each with the blocks before it that were moved on to its
 * place; `from` is where the earliest of these was written.
 */
export function foldCode({ exponents }) {
  const [at, end, from, to] = [0, 1, 2, 3];
  const load = (local, offset) => [op.get, local, ...op.load128, 4, ...leb(offset)];
  const block = (index) => {
    const moved = exponents.slice(0, -1).map((each) => load(from, (each + index) * blockBytes));
    const terms = [load(at, index * blockBytes), ...moved];
    const store = [...op.store128, 4, ...leb(index * blockBytes)];
    return [op.get, to, ...tree(terms, op.xor128), ...store];
  };
  const step = (local) => [
    op.get,
    local,
    op.const32,
    ...leb(turn * blockBytes, true),
    op.add32,
    op.set,
    local,
  ];
  const blocks = Array.from({ length: turn }, (_, index) => block(index)).flat();
  const leave = [op.get, at, op.get, end, op.geU32, op.brIf, 1];
  const code = repeat([...leave, ...blocks, ...step(at), ...step(from), ...step(to)]);
  return { parameters: [type.i32, type.i32, type.i32, type.i32], results: [], code };
}
