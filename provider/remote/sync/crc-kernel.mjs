// A reflected CRC of up to 64 bits in WebAssembly: long messages are folded (crc-fold.mjs), and the rest goes sixteen bytes a
// step through tables ("slicing by 16"), several times faster than JavaScript's numbers allow. The tables, the folding's
// blocks and the bytes to sum lie in one memory that the caller shares out.

import { foldCode, foldOf } from "./crc-fold.mjs";
import { instantiate, leb, op, repeat, tree, type } from "./wasm.mjs";

const pageBytes = 64 * 1024; // of WebAssembly
const tableBytes = 16 * 256 * 8;
/** The tables of up to four polynomials, then room to copy through, then the blocks that are folded; then the caller's. */
const copyAt = 2 * pageBytes;
const foldAt = 3 * pageBytes;
const viewsAt = 5 * pageBytes;
/** Bytes that are folded at once, so that their blocks stay in the processor's cache. */
const foldAtOnce = 32 * 1024;

/** The value of table `k` for byte `byte` of local `word`: a table's entries have eight bytes, so the byte is moved to bits 3 to 10. */
function lookup(word, byte, k, tables) {
  const move = byte === 0 ? [op.const64, 3, op.shl64] : [op.const64, byte * 8 - 3, op.shrU64];
  return [
    ...[op.get, word, ...move, op.wrap, op.const32, ...leb(0x7f8, true), op.and32],
    ...[op.load64, 3, ...leb(tables + k * 2048)],
  ];
}

// update(at, end, crc) -> crc; locals 3 and 4 hold the sixteen bytes of a step.
function tableCode(tables) {
  const [at, end, crc, first, second] = [0, 1, 2, 3, 4];
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7];
  const later = bytes.map((byte) => lookup(second, byte, 7 - byte, tables));
  const sooner = bytes.map((byte) => lookup(first, byte, 15 - byte, tables));
  const next = (count) => [op.get, at, op.const32, count, op.add32, op.set, at];
  const wide = repeat([
    ...[op.get, at, op.const32, 16, op.add32, op.get, end, op.gtU32, op.brIf, 1],
    ...[op.get, at, op.load64, 0, 0, op.get, crc, op.xor64, op.set, first],
    ...[op.get, at, op.load64, 0, 8, op.set, second],
    ...[...tree([...later, ...sooner], op.xor64), op.set, crc, ...next(16)],
  ]);
  const narrow = repeat([
    ...[op.get, at, op.get, end, op.geU32, op.brIf, 1],
    ...[op.get, at, op.load8, 0, 0, op.get, crc, op.xor64, op.set, first],
    ...[...lookup(first, 0, 0, tables), op.get, crc, op.const64, 8, op.shrU64, op.xor64],
    ...[op.set, crc, ...next(1)],
  ]);
  const parameters = [type.i32, type.i32, type.i64];
  const code = [...wide, ...narrow, op.get, crc];
  return { parameters, results: [type.i64], locals: [[2, type.i64]], code };
}

/** Writes the tables of a polynomial at an address. */
function writeTables(memory, address, polynomial) {
  const tables = new BigUint64Array(memory.buffer, address, 16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    tables[byte] = crc;
  }
  for (let k = 1; k < 16; k++)
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[(k - 1) * 256 + byte];
      tables[k * 256 + byte] = (before >> 8n) ^ tables[Number(before & 0xffn)];
    }
}

/** The CRC of bytes of a memory, for one polynomial. */
class Kernel {
  #bytes;
  #words;
  #update;
  #fold;
  #shape;

  constructor(memory, polynomial, tables) {
    writeTables(memory, tables, polynomial);
    this.#shape = foldOf(polynomial);
    const fold = this.#shape === undefined ? {} : { fold: foldCode(this.#shape) };
    const functions = instantiate(memory, { update: tableCode(tables), ...fold });
    this.#update = functions.update;
    this.#fold = functions.fold;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new BigUint64Array(memory.buffer);
  }

  /** @param crc of what came before, without the ones around it */
  sum(at, end, crc) {
    const shape = this.#shape;
    if (shape === undefined || end - at < 3 * shape.restBytes) return this.#update(at, end, crc);
    const { spanBytes, restBytes, turnBytes } = shape;
    const firstAt = foldAt + spanBytes;
    // What came before is as if it had been moved on to the first block.
    this.#bytes.fill(0, foldAt, firstAt);
    this.#words[foldAt / 8] = crc;
    const until = end - restBytes - ((end - at - restBytes) % turnBytes);
    while (at < until) {
      const length = Math.min(foldAtOnce, until - at);
      this.#fold(at, at + length, foldAt, firstAt);
      this.#bytes.copyWithin(foldAt, foldAt + length, firstAt + length);
      at += length;
    }
    // Nothing of the rest is moved on: it only takes what was.
    const restAt = firstAt + foldAtOnce;
    this.#bytes.fill(0, firstAt, firstAt + restBytes);
    this.#fold(at, at + restBytes, foldAt, restAt);
    const folded = this.#update(restAt, restAt + restBytes, 0n);
    return this.#update(at + restBytes, end, folded);
  }
}

/** Memory for bytes on their way, page-aligned as direct writes to a disk want it, whose CRCs are taken in place. */
export class CrcMemory {
  #memory;
  #kernels = new Map();
  #copy;

  /** @param bytes that `view` may give out */
  constructor(bytes) {
    const pages = (viewsAt + Math.ceil(bytes / pageBytes) * pageBytes) / pageBytes;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#copy = new Uint8Array(this.#memory.buffer, copyAt, pageBytes);
  }

  view(offset, length) {
    return Buffer.from(this.#memory.buffer, viewsAt + offset, length);
  }

  /** The CRC of bytes that follow on ones with the CRC `before` (0n at the start). Bytes from elsewhere are copied. */
  update({ bits, polynomial }, bytes, before) {
    const ones = (1n << BigInt(bits)) - 1n;
    const kernel = this.#kernelOf(polynomial);
    let crc = before ^ ones;
    if (bytes.buffer === this.#memory.buffer) {
      crc = kernel.sum(bytes.byteOffset, bytes.byteOffset + bytes.length, crc);
    } else {
      for (let at = 0; at < bytes.length; at += pageBytes) {
        const piece = bytes.subarray(at, at + pageBytes);
        this.#copy.set(piece);
        crc = BigInt.asUintN(64, kernel.sum(copyAt, copyAt + piece.length, crc));
      }
    }
    return BigInt.asUintN(64, crc) ^ ones;
  }

  /** A kernel knows where its polynomial's tables are. */
  #kernelOf(polynomial) {
    const known = this.#kernels.get(polynomial);
    if (known !== undefined) return known;
    const kernel = new Kernel(this.#memory, polynomial, this.#kernels.size * tableBytes);
    this.#kernels.set(polynomial, kernel);
    return kernel;
  }
}
