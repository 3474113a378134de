// Checksums that can be taken range by range, in any order, and folded into that of the whole file.
// Every one of them is a reflected CRC with all ones before and after, so one method folds them all.

import { crc32 } from "node:zlib";
import { CrcMemory } from "./crc-kernel.mjs";

/** Parameters as in https://reveng.sourceforge.io/crc-catalogue/all.htm (reflected polynomials). */
const CRC32 = { bits: 32, polynomial: 0xedb88320n };
const CRC32C = { bits: 32, polynomial: 0x82f63b78n };
const CRC64NVME = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n };

// CRC32 is native in Node, which takes bytes from anywhere. One memory serves the rest; it is made on first use.
let memory;
const update = (algorithm) => (bytes, before) =>
  (memory ??= new CrcMemory(0)).update(algorithm, bytes, before);

/** The algorithms by S3's names: `update(bytes, before)` goes on from `before` (0n at the start). */
export const algorithms = {
  CRC32: { ...CRC32, update: (bytes, before) => BigInt(crc32(bytes, Number(before))) },
  CRC32C: { ...CRC32C, update: update(CRC32C) },
  CRC64NVME: { ...CRC64NVME, update: update(CRC64NVME) },
};

/** a(x) * b(x) modulo the polynomial, bits reflected: the highest bit is the coefficient of x^0. */
function multiply(a, b, { bits, polynomial }) {
  let product = 0n;
  for (let bit = 1n << BigInt(bits - 1); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= b;
    b = b & 1n ? (b >> 1n) ^ polynomial : b >> 1n;
  }
  return product;
}

const shifts = new Map();

/** x^(8 * length), by which a checksum moves over `length` bytes that follow. */
function shiftFor(name, length) {
  const known = shifts.get(`${name}:${length}`);
  if (known !== undefined) return known;
  const algorithm = algorithms[name];
  let power = 1n << BigInt(algorithm.bits - 2); // x^1
  let shift = 1n << BigInt(algorithm.bits - 1); // x^0
  for (let exponent = BigInt(length) * 8n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) shift = multiply(shift, power, algorithm);
    power = multiply(power, power, algorithm);
  }
  shifts.set(`${name}:${length}`, shift);
  return shift;
}

/** The checksum of two pieces in a row, from the checksum of each and the length of the second. */
export function combine(name, first, second, secondLength) {
  return multiply(shiftFor(name, secondLength), first, algorithms[name]) ^ second;
}

/** A checksum as S3 writes it: big-endian, base64. */
export function encode(name, value) {
  const digits = algorithms[name].bits / 4;
  return Buffer.from(value.toString(16).padStart(digits, "0"), "hex").toString("base64");
}
