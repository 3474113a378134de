import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ggufProblem,
  safetensorsHeaderBytes,
  safetensorsProblem,
} from "../../../scripts/push/weight-format.ts";

type Tensor = readonly [dtype: string, shape: readonly number[], start: number, end: number];

function header(tensors: Readonly<Record<string, Tensor>>): Buffer {
  const entries = Object.entries(tensors).map(([name, [dtype, shape, start, end]]) => [
    name,
    { dtype, shape, data_offsets: [start, end] },
  ]);
  return Buffer.from(
    JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }),
  );
}

const problem = (tensors: Readonly<Record<string, Tensor>>, data: number): string | undefined => {
  const bytes = header(tensors);
  return safetensorsProblem(bytes, 8 + bytes.length + data);
};

describe("safetensorsProblem", () => {
  it("takes tensors of every width that lie one after the other", () => {
    const good = {
      a: ["F32", [2, 3], 0, 24],
      b: ["BF16", [5], 24, 34],
      c: ["F4", [4], 34, 36],
    } as const;
    assert.equal(problem(good, 36), undefined);
    assert.equal(problem({ scalar: ["F64", [], 0, 8] }, 8), undefined);
    assert.equal(problem({ unknown: ["F1_NEW", [9], 0, 2] }, 2), undefined);
    assert.equal(problem({ none: ["F32", [0], 0, 0] }, 0), undefined);
  });

  const bad: readonly (readonly [string, Readonly<Record<string, Tensor>>, number, RegExp])[] = [
    ["a hole", { a: ["U8", [4], 1, 5] }, 5, /hole/],
    ["an overlap", { a: ["U8", [4], 0, 4], b: ["U8", [4], 3, 7] }, 7, /overlap/],
    ["a shape that is too large", { a: ["F32", [4], 0, 4] }, 4, /shape/],
    ["a file that is cut off", { a: ["U8", [40], 0, 40] }, 39, /cut off/],
    ["bytes after the end", { a: ["U8", [4], 0, 4] }, 5, /after its last/],
    ["offsets that go back", { a: ["U8", [4], 4, 0] }, 4, /where tensor/],
    ["offsets that are no counts", { a: ["U8", [4], -1, 3] }, 4, /where tensor/],
    ["a shape that is no counts", { a: ["U8", [1.5], 0, 1] }, 1, /where tensor/],
  ];
  for (const [what, tensors, data, expected] of bad) {
    it(`refuses ${what}`, () => {
      assert.match(problem(tensors, data) ?? "", expected);
    });
  }

  it("refuses what is not JSON, and never throws", () => {
    assert.match(safetensorsProblem(Buffer.from("{"), 9) ?? "", /not JSON/);
    assert.match(safetensorsProblem(Buffer.from("[]"), 10) ?? "", /not JSON/);
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, size) => {
        safetensorsProblem(Buffer.from(text), size);
      }),
    );
  });
});

describe("safetensorsHeaderBytes", () => {
  const start = (length: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(length);
    return bytes;
  };

  it("bounds the header before anything is read", () => {
    assert.equal(safetensorsHeaderBytes(start(10n), 100), 10);
    assert.match(String(safetensorsHeaderBytes(start(10n), 17)), /cut off/);
    assert.match(String(safetensorsHeaderBytes(start(2n ** 63n), 2 ** 40)), /are allowed/);
    assert.match(String(safetensorsHeaderBytes(Buffer.alloc(3), 3)), /too short/);
    assert.match(String(safetensorsHeaderBytes(Buffer.from("version https"), 130)), /git lfs pull/);
  });
});

describe("ggufProblem", () => {
  it("knows the magic and the versions", () => {
    const start = (magic: string, version: number): Buffer => {
      const bytes = Buffer.alloc(8);
      bytes.write(magic);
      bytes.writeUInt32LE(version, 4);
      return bytes;
    };
    assert.equal(ggufProblem(start("GGUF", 3)), undefined);
    assert.match(ggufProblem(start("GGUF", 4)) ?? "", /version 4/);
    assert.match(ggufProblem(start("ggml", 3)) ?? "", /not a GGUF/);
    assert.match(ggufProblem(Buffer.from("version https")) ?? "", /git lfs pull/);
  });
});
