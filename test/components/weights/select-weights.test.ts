import assert from "node:assert/strict";
import {
  selectWeights,
  type WeightsSelection,
} from "../../../components/weights/select-weights.ts";

function selected(paths: readonly string[], selection: WeightsSelection = {}): readonly string[] {
  return selectWeights(
    paths.map((path) => ({ path })),
    selection,
  ).map(({ path }) => path);
}

describe("selectWeights", () => {
  const llama = [
    "LICENSE.txt",
    "config.json",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "original/consolidated.00.pth",
    "original/params.json",
    "pytorch_model-00001-of-00002.bin",
    "tokenizer.json",
  ];

  it("leaves the manifest of a push behind, even where all is asked for", () => {
    const paths = ["config.json", ".berth-manifest.json"];
    assert.deepEqual(selected(paths), ["config.json"]);
    assert.deepEqual(selected(paths, { include: ["*"] }), ["config.json"]);
  });

  it("leaves other forms behind where there are safetensors", () => {
    assert.deepEqual(
      selected(llama),
      llama.filter((path) => !/\.(bin|pth)$/.test(path)),
    );
  });

  it("brings pickled weights where there is nothing else", () => {
    const paths = ["config.json", "pytorch_model.bin"];
    assert.deepEqual(selected(paths), paths);
  });

  it("brings one of two sets of safetensors", () => {
    const paths = ["consolidated.safetensors", "model-00001-of-00001.safetensors", "params.json"];
    assert.deepEqual(selected(paths), paths.slice(1));
    assert.deepEqual(selected(paths.slice(0, 1)), paths.slice(0, 1));
  });

  it("lets include name anything, and exclude win", () => {
    const selection = { include: ["*.json", "original/**"], exclude: ["params.json"] };
    assert.deepEqual(selected(llama, selection), [
      "config.json",
      "original/consolidated.00.pth",
      "tokenizer.json",
    ]);
  });

  it("takes the marks of a pattern for themselves", () => {
    assert.deepEqual(selected(["a.json", "axjson", "b+.json"], { include: ["a.json", "b+.*"] }), [
      "a.json",
      "b+.json",
    ]);
    assert.deepEqual(selected(["x/a.json", "a.json"], { include: ["x/*"] }), ["x/a.json"]);
  });
});
