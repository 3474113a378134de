// Checksums that can be taken range by range, in any order, and folded into that of the whole file.
// Every one of them is a reflected CRC with all ones before and after, so one method folds them all.

import { crc32 } from "node:zlib";

/** Parameters as in https://reveng.sourceforge.io/crc-catalogue/all.htm (reflected polynomials). */
const CRC32 = { bits: 32, polynomial: 0xedb88320n };
const CRC32C = { bits: 32, polynomial: 0x82f63b78n };
const CRC64NVME = { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n };

function tables32(polynomial) {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[0][byte] = crc >>> 0;
  }
  for (let byte = 0; byte < 256; byte++)
    for (let k = 1; k < 8; k++) {
      const before = tables[k - 1][byte];
      tables[k][byte] = ((before >>> 8) ^ tables[0][before & 0xff]) >>> 0;
    }
  return tables;
}

let castagnoli;
function crc32c(bytes, before) {
  castagnoli ??= tables32(Number(CRC32C.polynomial));
  const [t0, t1, t2, t3, t4, t5, t6, t7] = castagnoli;
  let crc = ~before >>> 0;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low =
      crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    crc =
      t7[low & 0xff] ^
      t6[(low >>> 8) & 0xff] ^
      t5[(low >>> 16) & 0xff] ^
      t4[low >>> 24] ^
      t3[bytes[at + 4]] ^
      t2[bytes[at + 5]] ^
      t1[bytes[at + 6]] ^
      t0[bytes[at + 7]];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]) & 0xff];
  return ~crc >>> 0;
}

// A 64-bit CRC in halves of 32 bits, eight bytes a step: BigInt arithmetic would be a hundred times slower.
let nvme;
function tables64() {
  const lows = Array.from({ length: 8 }, () => new Uint32Array(256));
  const highs = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 1n ? (crc >> 1n) ^ CRC64NVME.polynomial : crc >> 1n;
    lows[0][byte] = Number(crc & 0xffffffffn);
    highs[0][byte] = Number(crc >> 32n);
  }
  for (let k = 1; k < 8; k++)
    for (let byte = 0; byte < 256; byte++) {
      const low = lows[k - 1][byte];
      const high = highs[k - 1][byte];
      lows[k][byte] = (((low >>> 8) | (high << 24)) ^ lows[0][low & 0xff]) >>> 0;
      highs[k][byte] = ((high >>> 8) ^ highs[0][low & 0xff]) >>> 0;
    }
  return { lows, highs };
}

function crc64nvme(bytes, before) {
  nvme ??= tables64();
  const [l0, l1, l2, l3, l4, l5, l6, l7] = nvme.lows;
  const [h0, h1, h2, h3, h4, h5, h6, h7] = nvme.highs;
  let low = ~Number(before & 0xffffffffn) >>> 0;
  let high = ~Number(before >> 32n) >>> 0;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    low ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    high ^= bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
    const a = low & 0xff,
      b = (low >>> 8) & 0xff,
      c = (low >>> 16) & 0xff,
      d = low >>> 24;
    const e = high & 0xff,
      f = (high >>> 8) & 0xff,
      g = (high >>> 16) & 0xff,
      h = high >>> 24;
    low = l7[a] ^ l6[b] ^ l5[c] ^ l4[d] ^ l3[e] ^ l2[f] ^ l1[g] ^ l0[h];
    high = h7[a] ^ h6[b] ^ h5[c] ^ h4[d] ^ h3[e] ^ h2[f] ^ h1[g] ^ h0[h];
  }
  for (; at < bytes.length; at++) {
    const index = (low ^ bytes[at]) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ l0[index];
    high = (high >>> 8) ^ h0[index];
  }
  return (BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0);
}

/** The algorithms by S3's names: `update(bytes, before)` goes on from `before` (0n at the start). */
export const algorithms = {
  CRC32: { ...CRC32, update: (bytes, before) => BigInt(crc32(bytes, Number(before))) },
  CRC32C: { ...CRC32C, update: (bytes, before) => BigInt(crc32c(bytes, Number(before))) },
  CRC64NVME: { ...CRC64NVME, update: crc64nvme },
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
