import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";
import fc from "fast-check";

type Name = "CRC32" | "CRC32C" | "CRC64NVME";
interface Checksums {
  readonly algorithms: Record<Name, { update(bytes: Uint8Array, before: bigint): bigint }>;
  readonly combine: (name: Name, first: bigint, second: bigint, secondLength: number) => bigint;
  readonly encode: (name: Name, value: bigint) => string;
}
const path = join(import.meta.dirname, "..", "..", "provider", "remote", "sync", "checksums.mjs");
const { algorithms, combine, encode } = (await import(pathToFileURL(path).href)) as Checksums;
const kernel = join(path, "..", "crc-kernel.mjs");
const { CrcMemory } = (await import(pathToFileURL(kernel).href)) as {
  CrcMemory: new (bytes: number) => {
    view(offset: number, length: number): Buffer;
    update(algorithm: object, bytes: Uint8Array, before: bigint): bigint;
  };
};
const names: readonly Name[] = ["CRC32", "CRC32C", "CRC64NVME"];

describe("The sync's checksums", () => {
  // Check values of "123456789": https://reveng.sourceforge.io/crc-catalogue/all.htm
  const known: Record<Name, bigint> = {
    CRC32: 0xcbf43926n,
    CRC32C: 0xe3069283n,
    CRC64NVME: 0xae8b14860a799888n,
  };
  for (const name of names) {
    it(`gives ${name}'s published check value`, () => {
      assert.equal(algorithms[name].update(Buffer.from("123456789"), 0n), known[name]);
    });

    it(`folds ${name} of pieces into that of the whole`, () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 300 }),
          fc.uint8Array({ maxLength: 300 }),
          (a, b) => {
            const one = algorithms[name].update(a, 0n);
            const two = algorithms[name].update(b, 0n);
            const whole = algorithms[name].update(Buffer.concat([a, b]), 0n);
            assert.equal(combine(name, one, two, b.length), whole);
            assert.equal(algorithms[name].update(b, one), whole);
          },
        ),
        { numRuns: 200 },
      );
    });
  }

  for (const name of names) {
    it(`folds the bytes of a long message to the same ${name} as it sums short ones`, () => {
      const memory = new CrcMemory(300_000);
      const random = randomBytes(300_000);
      const all = memory.view(0, random.length);
      random.copy(all);
      for (const [start, end] of [
        [0, 300_000],
        [1, 32_000],
        [7, 99_999],
        [4096, 208_896],
      ] as const) {
        let pieces = 1234n;
        // Too short to be folded.
        for (let at = start; at < end; at += 3000)
          pieces = algorithms[name].update(random.subarray(at, Math.min(at + 3000, end)), pieces);
        const whole = memory.update(algorithms[name], all.subarray(start, end), 1234n);
        assert.equal(whole, pieces, `bytes ${String(start)} to ${String(end)}`);
        assert.equal(algorithms[name].update(random.subarray(start, end), 1234n), pieces);
      }
    });
  }

  it("writes a checksum as S3 does", () => {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32("berth"));
    assert.equal(encode("CRC32", BigInt(crc32("berth"))), value.toString("base64"));
    assert.equal(encode("CRC64NVME", 1n), "AAAAAAAAAAE=");
  });
});
