import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromPython } from "./python-parts.ts";

describe("The room that a merge takes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-merge-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function weightsBytes(files: Readonly<Record<string, number>>): unknown {
    for (const [name, bytes] of Object.entries(files)) {
      writeFileSync(join(folder, name), "x".repeat(bytes));
    }
    return fromPython('from merge import weights_bytes\nprint(weights_bytes("."))', folder);
  }

  it("is that of the files that are read, and not of the same weights in another form", () => {
    const shards = {
      "model-00001-of-00002.safetensors": 300,
      "model-00002-of-00002.safetensors": 200,
    };
    const others = { "consolidated.safetensors": 500, "pytorch_model.bin": 500, "config.json": 9 };
    assert.equal(weightsBytes({ ...shards, ...others }), 500);
  });

  it("is that of pickles where there is nothing else", () => {
    assert.equal(weightsBytes({ "pytorch_model.bin": 70, "training_args.bin": 5 }), 70);
  });
});
