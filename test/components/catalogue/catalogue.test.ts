import assert from "node:assert/strict";
import { usableMemoryMiB } from "../../../components/catalogue/accelerator.ts";
import { makeCatalogue } from "../../../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";

const catalogue = loadCatalogue();

describe("the catalogue that ships", () => {
  it("has the date of its newest table", () => {
    assert.match(catalogue.version, /^20\d\d-\d\d-\d\d$/);
  });

  it("names no model and no type twice", () => {
    const ids = catalogue.models.map(({ id }) => id);
    const types = catalogue.instanceTypes.map(({ instanceType }) => instanceType);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(new Set(types).size, types.length);
    assert.ok(
      ids.length >= 145 && types.length >= 60,
      `${ids.length} models, ${types.length} types`,
    );
  });

  it("knows the GPU of every type that has a whole one", () => {
    const known = new Set(catalogue.accelerators.map(({ model }) => model));
    const unknown = catalogue.instanceTypes.filter(
      ({ gpuModel, gpuCount }) => gpuCount >= 1 && !known.has(gpuModel),
    );
    assert.deepEqual(
      unknown.map(({ instanceType }) => instanceType),
      [],
    );
  });

  it("gives every price a date and a sane figure for its GPUs", () => {
    for (const { instanceType, gpuCount, prices = {} } of catalogue.instanceTypes) {
      for (const [region, { onDemandHourlyUsd }] of Object.entries(prices)) {
        const each = onDemandHourlyUsd / gpuCount;
        assert.ok(each > 0.3 && each < 30, `${instanceType} in ${region}: ${each} a GPU and hour`);
      }
    }
  });

  it("has no more usable memory than the board has", () => {
    for (const gpu of catalogue.accelerators) {
      const usable = usableMemoryMiB(gpu);
      if (usable === undefined || gpu.memoryMiBApi === undefined) continue;
      assert.ok(
        usable <= gpu.memoryMiBApi * 1.01,
        `${gpu.model}: ${usable} of ${gpu.memoryMiBApi}`,
      );
    }
  });

  it("has weights of about two bytes a parameter in 16 bit", () => {
    for (const { id, nativePrecision, parameters, weightsGiB, task } of catalogue.models) {
      if (!/^(fp16|bf16)$/.test(nativePrecision) || task === "image-generation") continue;
      if (parameters === undefined || weightsGiB === undefined) continue;
      const bytes = (weightsGiB * 1024 ** 3) / parameters;
      assert.ok(bytes > 1.9 && bytes < 2.2, `${id}: ${bytes.toFixed(2)} bytes a parameter`);
    }
  });

  it("splits attention heads evenly at every tensor-parallel size it allows", () => {
    for (const { id, attentionHeads, tensorParallelSizes = [] } of catalogue.models) {
      if (attentionHeads === undefined) continue;
      for (const size of tensorParallelSizes) {
        assert.equal(attentionHeads % size, 0, `${id}: ${attentionHeads} heads over ${size}`);
      }
    }
  });

  it("has the demo's own model, small and free", () => {
    const demo = catalogue.models.find(({ id }) => id === "demo-llama-60m");
    assert.equal(demo?.engine, "llama.cpp");
    assert.equal(demo.maxContextTokens, 512);
    assert.ok((demo.weightsGiB ?? 1) < 0.2);
    assert.notEqual(demo.gated, true);
  });
});

describe("makeCatalogue", () => {
  const table = (rows: readonly unknown[]) => ({
    schemaVersion: 1,
    collectedAt: "2026-01-02",
    source: "a test",
    rows,
  });
  const empty = {
    models: table([]),
    accelerators: table([]),
    instanceTypes: table([]),
    sagemakerTypes: table([]),
    cudaReleases: table([]),
    pytorchReleases: table([]),
  };

  it("refuses a row with a field that it does not know", () => {
    const gpu = { model: "X", architecture: "a", computeCapability: "9.0", source: "s", typo: 1 };
    assert.throws(() => makeCatalogue({ ...empty, accelerators: table([gpu]) }), /typo/);
  });

  it("takes the newest date of its tables", () => {
    const newer = { ...table([]), collectedAt: "2026-05-06" };
    assert.equal(makeCatalogue({ ...empty, models: newer }).version, "2026-05-06");
  });
});
