import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { demoTensors, elementCount } from "../../../scripts/demo/model/architecture.ts";
import { ggufRowOrder, halfBits, tensorValues } from "../../../scripts/demo/model/random-values.ts";
import { demoVocabulary } from "../../../scripts/demo/model/vocabulary.ts";
import { writeDemoModel } from "../../../scripts/demo/model/write-model.ts";

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function safetensorsEntries(file: Buffer): readonly SafetensorsEntry[] {
  const length = Number(file.readBigUInt64LE(0));
  const head = JSON.parse(file.subarray(8, 8 + length).toString()) as Record<string, unknown>;
  delete head["__metadata__"];
  return Object.values(head) as SafetensorsEntry[];
}

describe("halfBits", () => {
  it("is the nearest half float", () => {
    const small = fc.double({ min: -8, max: 8, noNaN: true });
    fc.assert(
      fc.property(small, (value) => {
        const error = Math.abs(halfToNumber(halfBits(value)) - value);
        assert.ok(error <= Math.max(2 ** -24, Math.abs(value) * 2 ** -11), `${value} by ${error}`);
      }),
    );
  });
});

describe("writeDemoModel", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-demo-model-"));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("writes the same bytes every time, with headers that describe them", async () => {
    const names = await writeDemoModel(join(folder, "a"));
    await writeDemoModel(join(folder, "b"));
    assert.equal(names.filter((name) => name.endsWith(".safetensors")).length, 3);
    assert.equal(names.filter((name) => name.endsWith(".gguf")).length, 3);
    for (const name of names) {
      const first = await readFile(join(folder, "a", name));
      const second = await readFile(join(folder, "b", name));
      const sum = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
      assert.equal(sum(first), sum(second), name);
      if (name.endsWith(".gguf")) assert.equal(first.subarray(0, 4).toString(), "GGUF");
      if (name.endsWith(".safetensors")) {
        let end = 0;
        for (const entry of safetensorsEntries(first)) {
          assert.equal(entry.data_offsets[0], end);
          end = entry.data_offsets[1];
        }
        assert.equal(first.length, 8 + Number(first.readBigUInt64LE(0)) + end);
      }
    }
  });

  it("has the parameters that the catalogue names", () => {
    const tensors = demoTensors(demoVocabulary().length);
    assert.equal(
      tensors.reduce((sum, tensor) => sum + elementCount(tensor), 0),
      59_465_216,
    );
  });

  it("interleaves the rotary halves of a query projection and loses no row", () => {
    const query = demoTensors(demoVocabulary().length).find((t) => t.rowOrder === "rotary-query");
    assert.ok(query);
    const plain = tensorValues(query);
    const ordered = ggufRowOrder(query, plain);
    const columns = query.shape[1] ?? 0;
    const row = (values: Uint16Array, at: number): string =>
      values.subarray(at * columns, (at + 1) * columns).join();
    assert.equal(row(ordered, 0), row(plain, 0));
    assert.equal(row(ordered, 1), row(plain, 32));
    assert.equal(row(ordered, 2), row(plain, 1));
    assert.deepEqual(ordered.toSorted(), plain.toSorted());
  });
});
