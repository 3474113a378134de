// A reflected CRC of up to 64 bits in WebAssembly, sixteen bytes a step ("slicing by 16"): several times faster than
// JavaScript's numbers allow. The module is assembled here, so that what runs can be read; the tables and the bytes to sum
// lie in one memory that the caller shares out.
// Opcodes: https://webassembly.github.io/spec/core/binary/instructions.html

const i64 = 0x7e;
const i32 = 0x7f;
const op = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  load64: 0x29,
  load8: 0x31, // i64.load8_u
  const32: 0x41,
  const64: 0x42,
  gtU32: 0x4b,
  geU32: 0x4f,
  add32: 0x6a,
  and32: 0x71,
  xor64: 0x85,
  shl64: 0x86,
  shrU64: 0x88,
  wrap: 0xa7,
};
const empty = 0x40;

const pageBytes = 64 * 1024; // of WebAssembly
const tableBytes = 16 * 256 * 8;

/** LEB128, for values that are not negative; the seventh bit of a signed one must be clear. */
function leb(value, signed = false) {
  const bytes = [];
  for (;;) {
    const low = value & 0x7f;
    value >>>= 7;
    const last = value === 0 && !(signed && low & 0x40);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}
const section = (id, body) => [id, ...leb(body.length), ...body];
const name = (text) => [...leb(text.length), ...Buffer.from(text)];

/** The value of table `k` for byte `byte` of local `word`: a table's entries have eight bytes, so the byte is moved to bits 3 to 10. */
function lookup(word, byte, k, tables) {
  const move = byte === 0 ? [op.const64, 3, op.shl64] : [op.const64, byte * 8 - 3, op.shrU64];
  return [
    ...[op.get, word, ...move, op.wrap, op.const32, ...leb(0x7f8, true), op.and32],
    ...[op.load64, 3, ...leb(tables + k * 2048)],
  ];
}

// update(at, end, crc) -> crc; locals 3 and 4 hold the sixteen bytes of a step.
function body(tables) {
  const [at, end, crc, first, second] = [0, 1, 2, 3, 4];
  // As a tree, so that the processor need not wait for one exclusive or after the other.
  const tree = (terms) => {
    if (terms.length === 1) return terms[0];
    const half = terms.length >> 1;
    return [...tree(terms.slice(0, half)), ...tree(terms.slice(half)), op.xor64];
  };
  const bytes = [0, 1, 2, 3, 4, 5, 6, 7];
  const later = tree(bytes.map((byte) => lookup(second, byte, 7 - byte, tables)));
  const sooner = tree(bytes.map((byte) => lookup(first, byte, 15 - byte, tables)));
  const step = [...later, ...sooner, op.xor64];
  const wide = [
    ...[op.get, at, op.const32, 16, op.add32, op.get, end, op.gtU32, op.brIf, 1],
    ...[op.get, at, op.load64, 0, 0, op.get, crc, op.xor64, op.set, first],
    ...[op.get, at, op.load64, 0, 8, op.set, second, ...step, op.set, crc],
    ...[op.get, at, op.const32, 16, op.add32, op.set, at, op.br, 0],
  ];
  const narrow = [
    ...[op.get, at, op.get, end, op.geU32, op.brIf, 1],
    ...[
      op.get,
      at,
      op.load8,
      0,
      0,
      op.get,
      crc,
      op.xor64,
      op.set,
      first,
      ...lookup(first, 0, 0, tables),
    ],
    ...[op.get, crc, op.const64, 8, op.shrU64, op.xor64, op.set, crc],
    ...[op.get, at, op.const32, 1, op.add32, op.set, at, op.br, 0],
  ];
  const repeat = (code) => [op.block, empty, op.loop, empty, ...code, op.end, op.end];
  const locals = [1, 2, i64];
  return [...locals, ...repeat(wide), ...repeat(narrow), op.get, crc, op.end];
}

function assemble(tables) {
  const code = body(tables);
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, i32, i32, i64, 1, i64]),
    ...section(2, [1, ...name("m"), ...name("m"), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("update"), 0, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
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

/** Memory for bytes on their way, page-aligned as direct writes to a disk want it, whose CRCs are taken in place. */
export class CrcMemory {
  #memory;
  #kernels = new Map();
  #scratch;

  /** @param bytes that `view` may give out */
  constructor(bytes) {
    // Room for the tables of two polynomials, then 64 KiB to copy through, then the caller's.
    const pages = 2 + Math.ceil(bytes / pageBytes);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#scratch = new Uint8Array(this.#memory.buffer, pageBytes, pageBytes);
  }

  view(offset, length) {
    return Buffer.from(this.#memory.buffer, 2 * pageBytes + offset, length);
  }

  /** The CRC of bytes that follow on ones with the CRC `before` (0n at the start). Bytes from elsewhere are copied. */
  update({ bits, polynomial }, bytes, before) {
    const ones = (1n << BigInt(bits)) - 1n;
    const kernel = this.#kernelOf(polynomial);
    let crc = before ^ ones;
    if (bytes.buffer === this.#memory.buffer) {
      crc = kernel(bytes.byteOffset, bytes.byteOffset + bytes.length, crc);
    } else {
      for (let at = 0; at < bytes.length; at += pageBytes) {
        const piece = bytes.subarray(at, at + pageBytes);
        this.#scratch.set(piece);
        crc = kernel(pageBytes, pageBytes + piece.length, crc);
      }
    }
    return BigInt.asUintN(64, crc) ^ ones;
  }

  /** A kernel knows where its polynomial's tables are. */
  #kernelOf(polynomial) {
    const known = this.#kernels.get(polynomial);
    if (known !== undefined) return known;
    const address = this.#kernels.size * tableBytes;
    writeTables(this.#memory, address, polynomial);
    const module = new WebAssembly.Module(assemble(address));
    const kernel = new WebAssembly.Instance(module, { m: { m: this.#memory } }).exports.update;
    this.#kernels.set(polynomial, kernel);
    return kernel;
  }
}
