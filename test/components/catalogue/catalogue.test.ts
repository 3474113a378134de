import assert from "node:assert/strict";
import { usableMemoryMiB } from "../../../components/catalogue/accelerator.ts";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Tables } from "../../../components/catalogue/catalogue.ts";
import {
  loadShippedCatalogue,
  loadSources,
  tableFiles,
} from "../../../components/catalogue/load.ts";
import { tableSchemas } from "../../../components/catalogue/table-schemas.ts";

const catalogue = loadShippedCatalogue();

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

  it("reserves for less than it sells on demand, a longer term for less than a shorter one", () => {
    let known = 0;
    for (const { instanceType, prices = {}, reserved = {} } of catalogue.instanceTypes) {
      for (const [region, term] of Object.entries(reserved)) {
        const onDemand = prices[region]?.onDemandHourlyUsd ?? 0;
        const { oneYearHourlyUsd: one = onDemand, threeYearHourlyUsd: three = 0 } = term;
        assert.ok(three < one && one <= onDemand * 0.75, `${instanceType} in ${region}`);
        assert.ok(one > onDemand * 0.5, `${instanceType} in ${region}`);
        known += 1;
      }
    }
    assert.ok(known >= 80, `${known} prices`);
  });

  it("has Capacity Blocks of P types only, at a sane figure for their GPUs", () => {
    for (const { instanceType, gpuCount, capacityBlocks = {} } of catalogue.instanceTypes) {
      for (const { hourlyUsd } of Object.values(capacityBlocks)) {
        assert.match(instanceType, /^p/);
        const each = hourlyUsd / gpuCount;
        assert.ok(each > 1 && each < 15, `${instanceType}: ${each} a GPU and hour`);
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

  it("recomputes the cache of every model from its own heads", () => {
    // What is cached there follows no such rule, or the row says that its figure is an upper bound.
    const others = new Set(["none", "mla", "compressed"]);
    for (const model of catalogue.models) {
      const { id, kvType = "none", kvHeads = 0, headDimension = 0, kvGlobalLayers = 0 } = model;
      if (others.has(kvType)) continue;
      const layer = 2 * 2 * kvHeads * headDimension;
      const { kvGlobalHeads = kvHeads, kvGlobalHeadDimension = headDimension } = model;
      const global = 2 * 2 * kvGlobalHeads * kvGlobalHeadDimension;
      assert.equal(model.kvBytesPerToken, kvGlobalLayers * global, id);
      assert.equal(model.kvLocalBytesPerToken ?? 0, (model.kvLocalLayers ?? 0) * layer, id);
    }
  });

  it("recomputes the latent cache of every model that has one", () => {
    for (const {
      id,
      mlaLatentDimension,
      mla,
      kvGlobalLayers = 0,
      kvBytesPerToken,
    } of catalogue.models) {
      if (mlaLatentDimension === undefined) continue;
      assert.equal(kvBytesPerToken, 2 * kvGlobalLayers * mlaLatentDimension, id);
      if (mla !== undefined)
        assert.equal(mla.latentRank + mla.ropeDimension, mlaLatentDimension, id);
    }
  });

  it("has layers enough for all that its attention is said to be", () => {
    for (const {
      id,
      layers = 0,
      kvGlobalLayers = 0,
      kvLocalLayers = 0,
      ...model
    } of catalogue.models) {
      const { crossAttentionLayers = 0, experts, attentionHeads = 0, kvHeads = 0 } = model;
      assert.ok(kvGlobalLayers + kvLocalLayers + crossAttentionLayers <= layers, id);
      assert.equal((model.kvWindowTokens ?? 0) > 0, kvLocalLayers > 0, id);
      if (kvHeads > 0) assert.equal(attentionHeads % kvHeads, 0, id);
      if (experts !== undefined)
        assert.ok(experts.layers <= layers && experts.perToken <= experts.count, id);
    }
  });

  it("divides or repeats key and value heads at every tensor-parallel size", () => {
    for (const { id, kvHeads, mlaLatentDimension, tensorParallelSizes = [] } of catalogue.models) {
      if (kvHeads === undefined || mlaLatentDimension !== undefined) continue;
      for (const size of tensorParallelSizes) {
        assert.ok(kvHeads % size === 0 || size % kvHeads === 0, `${id}: ${kvHeads} over ${size}`);
      }
    }
  });

  it("has components that add up to the model", () => {
    for (const { id, components, parameters } of catalogue.models) {
      if (components === undefined) continue;
      assert.equal(
        components.reduce((sum, part) => sum + part.parameters, 0),
        parameters,
        id,
      );
    }
  });

  it("has files of about the size that parameters and format give", () => {
    const bytes: Readonly<Record<string, number>> = { fp32: 4, fp16: 2, bf16: 2, fp8: 1 };
    for (const { id, nativePrecision, parameters, weightsGiB, ...model } of catalogue.models) {
      const each = bytes[nativePrecision];
      if (each === undefined || parameters === undefined || weightsGiB === undefined) continue;
      const { vocabularySize = 0, hiddenSize = 0, tiedEmbeddings = false } = model;
      // Files of 8 bit keep what turns tokens into numbers, and back, in 16.
      const wide = each === 1 ? (tiedEmbeddings ? 1 : 2) * vocabularySize * hiddenSize : 0;
      const ratio = (weightsGiB * 1024 ** 3) / (parameters * each + wide);
      // A vision tower is in 16 bit too, and weighs in small models.
      const most = model.task === "multimodal" && each === 1 ? 1.12 : 1.06;
      assert.ok(ratio > 0.98 && ratio < most, `${id}: ${ratio.toFixed(3)}`);
    }
  });

  it("passes no more parameters than there are", () => {
    for (const { id, activeParameters = 1, parameters = Infinity } of catalogue.models) {
      assert.ok(activeParameters < parameters, id);
    }
  });

  it("names a licence that it knows, and says of commercial use what that says", () => {
    const known = new Map(catalogue.licences.map((licence) => [licence.name, licence]));
    for (const { id, licence, commercialUse } of catalogue.models) {
      if (licence === undefined) {
        assert.equal(commercialUse, undefined, id);
        continue;
      }
      const terms = known.get(licence);
      assert.ok(terms !== undefined, `${id}: ${licence}`);
      assert.equal(commercialUse, terms.commercialUse, id);
    }
  });

  it("explains where a licence was read, and has read those that few know", () => {
    const sources = new Set(loadSources().map(({ name }) => name));
    for (const { id, licence, licenceSource } of catalogue.models) {
      for (const name of licenceSource?.split(";") ?? [])
        assert.ok(sources.has(name), `${id}: ${name}`);
      assert.ok(licence !== undefined || licenceSource === undefined, id);
    }
    for (const { name, source } of catalogue.licences) {
      for (const each of source?.split(";") ?? []) assert.ok(sources.has(each), `${name}: ${each}`);
    }
    const newer = catalogue.models.filter(({ family }) =>
      /^(GLM-5|Kimi|MiniMax|Nemotron 3)$/.test(family),
    );
    assert.ok(newer.length > 10);
    for (const { id, gated, licenceSource } of newer) {
      assert.ok(gated !== undefined && licenceSource !== undefined, id);
    }
  });

  it("has the EC2 type and a sane markup of every SageMaker type", () => {
    const types = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
    for (const { instanceType, ec2InstanceType, prices = {} } of catalogue.sagemakerTypes) {
      const type = types.get(ec2InstanceType);
      assert.equal(instanceType, `ml.${ec2InstanceType}`);
      assert.ok(type !== undefined, instanceType);
      for (const [region, { hostingHourlyUsd }] of Object.entries(prices)) {
        const ec2 = type.prices?.[region]?.onDemandHourlyUsd;
        const markup = ec2 === undefined ? 1.2 : hostingHourlyUsd / ec2;
        assert.ok(markup > 1.1 && markup < 1.5, `${instanceType} in ${region}: ${markup}`);
      }
    }
  });

  it("joins GPUs by NVLink only on types with several, and by NVSwitch only with NVLink", () => {
    for (const {
      instanceType,
      gpuCount,
      nvlink,
      nvswitch,
      networkGbps = 0,
      networkGbpsPeak = Infinity,
    } of catalogue.instanceTypes) {
      if (nvlink === true) assert.ok(gpuCount > 1, instanceType);
      if (nvswitch === true) assert.equal(nvlink, true, instanceType);
      assert.ok(networkGbps <= networkGbpsPeak, instanceType);
    }
  });

  it("is no faster in a wider format", () => {
    for (const {
      model,
      fp16Tflops,
      bf16Tflops,
      fp8Tflops,
      supportsFp8,
    } of catalogue.accelerators) {
      if (bf16Tflops !== undefined) assert.equal(bf16Tflops, fp16Tflops, model);
      if (fp8Tflops === undefined) continue;
      assert.equal(supportsFp8, true, model);
      assert.ok(fp8Tflops >= (fp16Tflops ?? Infinity), model);
    }
  });

  it("has CUDA releases newest first, and PyTorch builds that are among them", () => {
    const toolkits = new Set(catalogue.cudaReleases.map(({ toolkit }) => toolkit));
    const numbers = [...toolkits].map(Number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => b - a),
    );
    for (const {
      version,
      cudaBuilds,
      defaultCudaBuild,
      computeCapabilities = {},
    } of catalogue.pytorchReleases) {
      for (const build of cudaBuilds) assert.ok(toolkits.has(build), `${version}: ${build}`);
      for (const build of Object.keys(computeCapabilities))
        assert.ok(cudaBuilds.includes(build), version);
      if (defaultCudaBuild !== undefined) assert.ok(cudaBuilds.includes(defaultCudaBuild), version);
    }
  });
});

describe("the data files", () => {
  const data = new URL("../../../components/catalogue/data/", import.meta.url);
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(new URL(`${name}.json`, data), "utf8"));

  for (const [table, schema] of Object.entries(tableSchemas)) {
    it(`hold ${table} to their schema`, () => {
      const { success, error } = schema.safeParse(read(tableFiles[table as keyof Tables]));
      assert.ok(success, error === undefined ? "" : z.prettifyError(error));
    });
  }

  it("may have no field that the schema does not know", () => {
    const gpus = read("gpus") as { rows: object[] };
    const rows = [{ ...gpus.rows[0], typo: 1 }];
    const { error } = tableSchemas.accelerators.safeParse({ ...gpus, rows });
    assert.match(error?.message ?? "", /typo/);
  });

  it("explain every short name of a source", () => {
    const { rows } = read("sources") as { rows: readonly { name: string }[] };
    const known = new Set(rows.map(({ name }) => name));
    const { accelerators, instanceTypes, sagemakerTypes, cudaReleases, pytorchReleases } =
      catalogue;
    const tables = [accelerators, instanceTypes, sagemakerTypes, cudaReleases, pytorchReleases];
    const priced = catalogue.instanceTypes.flatMap(({ reserved = {}, capacityBlocks = {} }) => [
      ...Object.values(reserved),
      ...Object.values(capacityBlocks),
    ]);
    const used = new Set([...tables.flat(), ...priced].flatMap(({ source }) => source.split(";")));
    assert.deepEqual(
      [...used].filter((name) => !known.has(name)),
      [],
    );
  });
});
