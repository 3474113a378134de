import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { placeInOutput } from "../../../scripts/finetune/fetch-kept.ts";
import { fromPython } from "./python-parts.ts";

describe("What is fetched of a training", () => {
  it("lies where the programs of its folder look for it", () => {
    assert.equal(placeInOutput({ megatron: false }, "checkpoint-120"), "checkpoint-120");
    const place = placeInOutput({ megatron: true }, "checkpoint-120");
    const theirs = `from pathlib import Path
import checkpoints
checkpoints.by_megatron = lambda output: True
print(json.dumps(checkpoints.folder_of(Path("."), 120).as_posix()))`;
    assert.equal(place, fromPython(theirs, tmpdir()));
    for (const result of ["adapter", "model"]) {
      assert.equal(placeInOutput({ megatron: true }, result), result);
    }
  });
});
