import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksums that S3 knows, as named in `x-amz-checksum-<name>`. */
export const checksumNames = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
/** One of {@link checksumNames}. */
export type ChecksumName = (typeof checksumNames)[number];

/** A checksum that grows with its data. */
export interface Checksum {
  update(data: Buffer): void;
  /** Base64 of the value, big end first, as S3 writes it. */
  digest(): string;
}

/** Table of a reflected CRC of 32 bits. */
function table32(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) {
      value = (value & 1) === 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    }
    return value >>> 0;
  });
}

/** Tables of a reflected CRC of 64 bits, low and high halves, so that no BigInt is in the loop. */
function table64(polynomial: bigint): { low: Uint32Array; high: Uint32Array } {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  for (let index = 0; index < 256; index += 1) {
    let value = BigInt(index);
    for (let bit = 0; bit < 8; bit += 1) {
      value = (value & 1n) === 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    }
    low[index] = Number(value & 0xffffffffn);
    high[index] = Number(value >> 32n);
  }
  return { low, high };
}

// Reflected polynomials: CRC-32C (Castagnoli, RFC 3720) and CRC-64/NVME (NVM Express base specification).
const castagnoli = table32(0x82f63b78);
const nvme = table64(0x9a6c9329ac4bc9b5n);

function base64Of(...words: number[]): string {
  const buffer = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => buffer.writeUInt32BE(word >>> 0, 4 * index));
  return buffer.toString("base64");
}

function newCrc32(): Checksum {
  let value = 0;
  return {
    update: (data) => {
      value = crc32(data, value);
    },
    digest: () => base64Of(value),
  };
}

function newCrc32c(): Checksum {
  let value = 0xffffffff;
  return {
    update: (data) => {
      let crc = value;
      for (const byte of data) crc = (castagnoli[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
      value = crc;
    },
    digest: () => base64Of(~value),
  };
}

function newCrc64Nvme(): Checksum {
  let low = 0xffffffff;
  let high = 0xffffffff;
  return {
    update: (data) => {
      let l = low;
      let h = high;
      for (const byte of data) {
        const index = (l ^ byte) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ (nvme.low[index] ?? 0);
        h = (h >>> 8) ^ (nvme.high[index] ?? 0);
      }
      low = l;
      high = h;
    },
    digest: () => base64Of(~high, ~low),
  };
}

function newSha(algorithm: "sha1" | "sha256"): Checksum {
  const hash = createHash(algorithm);
  return {
    update: (data) => {
      hash.update(data);
    },
    digest: () => hash.copy().digest("base64"),
  };
}

/** A fresh checksum of this kind. */
export function newChecksum(name: ChecksumName): Checksum {
  switch (name) {
    case "crc32":
      return newCrc32();
    case "crc32c":
      return newCrc32c();
    case "crc64nvme":
      return newCrc64Nvme();
    case "sha1":
    case "sha256":
      return newSha(name);
  }
}
