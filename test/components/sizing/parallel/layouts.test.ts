import assert from "node:assert/strict";
import fc from "fast-check";
import { findModel } from "../../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import type { TrainingJob } from "../../../../components/sizing/job.ts";
import { shapeOf } from "../../../../components/sizing/model-shape.ts";
import {
  huggingFaceLayout,
  layoutOfWay,
  megatronFamilies,
  waysOf,
  type GpuGrid,
} from "../../../../components/sizing/parallel/layouts.ts";
import { paddedVocabulary } from "../../../../components/sizing/parallel/megatron-shape.ts";
import type { TrainingLayout } from "../../../../components/sizing/parallel/training-layout.ts";
import { trainingDemand } from "../../../../components/sizing/training-demand.ts";
import type { TrainingWorkload } from "../../../../components/sizing/workload.ts";

const catalogue = loadCatalogue();
const full: TrainingWorkload = {
  method: "full",
  precision: "amp",
  optimizer: "adamw",
  sequenceTokens: 2048,
  microBatch: 1,
  gradientCheckpointing: true,
};
const wishes = {
  framework: "auto",
  tensorParallel: undefined,
  pipelineParallel: undefined,
} as const;

function jobOf(model: string, globalBatch = 16, workload = full): TrainingJob {
  const found = findModel(model, catalogue);
  return {
    task: "finetune",
    model: found,
    workload,
    datasetTokens: 1e6,
    epochs: 1,
    globalBatch,
    wishes,
  };
}

function megatronLayouts(job: TrainingJob, over: GpuGrid): readonly TrainingLayout[] {
  return megatronFamilies(job, over)
    .flatMap((family) => waysOf(job, family))
    .map((way) => layoutOfWay(job, over, way));
}

function grid(nodes: number, nvlink = true, gpusPerNode = 8): GpuGrid {
  return { nodes, gpusPerNode, nvlink, bf16: true };
}

function demand({ model }: TrainingJob, layout: TrainingLayout) {
  const { dataParallel, tensorParallel, pipelineParallel, workload } = layout;
  return trainingDemand(model, workload, { dataParallel, tensorParallel, pipelineParallel });
}

const dense = [
  "llama-2-7b",
  "llama-2-13b",
  "llama-3.1-70b",
  "llama-3.1-405b",
  "qwen2.5-7b",
  "falcon-40b",
];
const anyModel = fc.constantFrom(...dense);
const anyNodes = fc.integer({ min: 1, max: 16 });

describe("megatronLayouts", () => {
  it("divides heads, feed-forward columns, vocabulary and layers, and uses every GPU", () => {
    fc.assert(
      fc.property(
        anyModel,
        anyNodes,
        fc.boolean(),
        fc.integer({ min: 1, max: 256 }),
        (id, nodes, nvlink, batch) => {
          const job = jobOf(id, batch);
          const shape = shapeOf(job.model);
          for (const layout of megatronLayouts(job, grid(nodes, nvlink))) {
            const { tensorParallel, pipelineParallel, dataParallel, passes, globalBatch } = layout;
            const { virtualStages = 1, tablesAsLayers = false } = layout.workload.megatron ?? {};
            assert.equal(tensorParallel * pipelineParallel * dataParallel, nodes * 8);
            assert.ok(tensorParallel <= (nvlink ? 8 : 1));
            assert.equal(shape.attentionHeads % tensorParallel, 0);
            assert.equal(shape.intermediateSize % tensorParallel, 0);
            assert.equal(paddedVocabulary(shape, tensorParallel) % (128 * tensorParallel), 0);
            const layers = shape.layers + (tablesAsLayers ? 2 : 0);
            assert.equal(layers % (pipelineParallel * virtualStages), 0);
            if (virtualStages > 1) assert.equal(passes % pipelineParallel, 0);
            assert.equal(globalBatch, passes * dataParallel);
            assert.ok(globalBatch >= batch && passes >= 1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("finds the 8 x 16 groups of Llama 3.1 405B, whose 126 layers divide with the two tables", () => {
    const layouts = megatronLayouts(jobOf("llama-3.1-405b"), grid(16));
    const found = layouts.find((each) => each.tensorParallel === 8 && each.pipelineParallel === 16);
    assert.equal(found?.workload.megatron?.tablesAsLayers, true);
  });

  it("has none for quantised weights, image towers and GPUs without bf16", () => {
    const qlora = { ...full, method: "qlora", precision: "bf16" } as const;
    assert.deepEqual(megatronLayouts(jobOf("llama-2-7b", 16, qlora), grid(1)), []);
    assert.deepEqual(megatronLayouts(jobOf("qwen2.5-vl-7b"), grid(1)), []);
    assert.deepEqual(megatronLayouts(jobOf("llama-2-7b"), { ...grid(1), bf16: false }), []);
  });
});

describe("Long sequences and experts", () => {
  const long = { ...full, sequenceTokens: 65_536 };
  const groups = ({ workload }: TrainingLayout) => ({
    context: workload.megatron?.contextParallel ?? 1,
    expert: workload.megatron?.expertParallel ?? 1,
  });

  it("share a sequence out in pieces of 4,096 tokens or more, and use every GPU", () => {
    const layouts = megatronLayouts(jobOf("llama-3.1-8b", 16, long), grid(4));
    assert.deepEqual(
      [...new Set(layouts.map((each) => groups(each).context))].toSorted((a, b) => a - b),
      [1, 2, 4, 8, 16],
    );
    for (const each of layouts) {
      const { tensorParallel, pipelineParallel, dataParallel } = each;
      assert.equal(tensorParallel * pipelineParallel * dataParallel * groups(each).context, 32);
    }
    const short = megatronLayouts(jobOf("llama-3.1-8b", 16), grid(4));
    assert.ok(short.every((each) => groups(each).context === 1));
  });

  it("share experts out over every count of a host's GPUs that both divide by", () => {
    const sizesOf = (id: string, each: GpuGrid) => {
      const layouts = megatronLayouts(jobOf(id), each);
      return [...new Set(layouts.map((one) => groups(one).expert))].toSorted((a, b) => a - b);
    };
    assert.deepEqual(sizesOf("mixtral-8x7b", grid(1)), [1, 2, 4, 8]);
    assert.deepEqual(sizesOf("llama-3.1-8b", grid(1)), [1]);
    assert.deepEqual(sizesOf("mixtral-8x7b", grid(1, false)), [1]);
  });

  it("take the sizes that are asked for", () => {
    const job = jobOf("mixtral-8x7b", 16, { ...full, sequenceTokens: 4096 });
    const asked = { ...job, wishes: { ...wishes, contextParallel: 4, expertParallel: 2 } };
    const layouts = megatronLayouts(asked, grid(2));
    assert.ok(layouts.length > 0);
    assert.ok(layouts.every((each) => groups(each).context === 4 && groups(each).expert === 2));
  });

  /** Memory by the size of one group, all other things equal. */
  function memoryBy(change: (size: number) => Partial<TrainingWorkload["megatron"]>) {
    return ([method, id, again]: readonly ["full" | "lora", string, boolean]) => {
      const workload = { ...long, method, gradientCheckpointing: again };
      const split = { tensorParallel: 2, pipelineParallel: 1, dataParallel: 4 };
      const of = (size: number) =>
        trainingDemand(
          findModel(id, catalogue),
          { ...workload, megatron: { virtualStages: 1, ...change(size) } },
          split,
        ).totalMiB;
      const sizes = [1, 2, 4, 8].map(of);
      for (const [index, each] of sizes.entries()) {
        // Another kind of group has buffers of its own, 400 MiB.
        const before = sizes[index - 1] ?? Infinity;
        assert.ok(each <= before + 400, `${id}: ${sizes.join(", ")}`);
      }
    };
  }
  const anyTraining = fc.tuple(
    fc.constantFrom("full" as const, "lora" as const),
    fc.constantFrom("mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3", "gpt-oss-120b"),
    fc.boolean(),
  );

  it("take no more memory with more GPUs to a sequence, or to the experts", () => {
    fc.assert(
      fc.property(
        anyTraining,
        memoryBy((contextParallel) => ({ contextParallel })),
      ),
    );
    fc.assert(
      fc.property(
        anyTraining,
        memoryBy((expertParallel) => ({ expertParallel })),
      ),
    );
  });

  it("take no more memory with more GPUs to a tensor-parallel group, or stages to a pipeline", () => {
    const anyId = fc.constantFrom("llama-3.1-70b", "llama-3.1-405b", "mixtral-8x7b");
    const kinds = fc.constantFrom("tensorParallel" as const, "pipelineParallel" as const);
    fc.assert(
      fc.property(anyId, kinds, fc.boolean(), (id, kind, again) => {
        const model = findModel(id, catalogue);
        // The two tables of the 405B count as layers, of which there are 128 then.
        const tablesAsLayers = id === "llama-3.1-405b";
        const workload = { ...full, gradientCheckpointing: again, gradientAccumulation: 64 };
        const least = kind === "pipelineParallel" && tablesAsLayers ? 2 : 1;
        const start = { tensorParallel: 2, pipelineParallel: tablesAsLayers ? 2 : 1 };
        const sizes = [1, 2, 4, 8].filter((size) => size >= least);
        const totals = sizes.map((size) => {
          const split = { ...start, dataParallel: 4, [kind]: size };
          const megatron = { virtualStages: 1, tablesAsLayers };
          return trainingDemand(model, { ...workload, megatron }, split).totalMiB;
        });
        for (const [index, each] of totals.entries()) {
          assert.ok(
            each <= (totals[index - 1] ?? Infinity) + 400,
            `${id} ${kind}: ${totals.join(", ")}`,
          );
        }
      }),
    );
  });

  it("hold experts whole, an eighth of them on each GPU of eight", () => {
    const model = findModel("mixtral-8x7b", catalogue);
    const weights = (expertParallel: number) =>
      trainingDemand(
        model,
        { ...full, megatron: { virtualStages: 1, expertParallel } },
        { tensorParallel: 1, pipelineParallel: 1, dataParallel: 8 },
      ).weightsMiB;
    // 32 layers x 8 experts x 3 matrices of 4,096 x 14,336, at 2 bytes, of which seven eighths go to the others.
    const experts = (32 * 8 * 3 * 4096 * 14_336 * 2) / 1024 ** 2;
    assert.ok(Math.abs(weights(1) - weights(8) - (experts * 7) / 8) < 1);
  });

  it("are refused where they do not divide, by each name", () => {
    const model = findModel("mixtral-8x7b", catalogue);
    const tried = (megatron: NonNullable<TrainingWorkload["megatron"]>, sequenceTokens = 2048) => {
      const split = { tensorParallel: 1, pipelineParallel: 1, dataParallel: 8 };
      return () => trainingDemand(model, { ...full, sequenceTokens, megatron }, split);
    };
    assert.throws(tried({ virtualStages: 1, contextParallel: 3 }), /cannot be sized/);
    assert.throws(tried({ virtualStages: 1, expertParallel: 3 }), /cannot be sized/);
    assert.doesNotThrow(tried({ virtualStages: 1, contextParallel: 4, expertParallel: 8 }));
  });
});

describe("Memory of a layout", () => {
  it("never rises with more hosts, by FSDP and by each way of Megatron-LM", () => {
    fc.assert(
      fc.property(anyModel, fc.integer({ min: 1, max: 6 }), (id, nodes) => {
        const job = jobOf(id, 1024);
        const total = (layout: TrainingLayout) => demand(job, layout).totalMiB;
        const [few, many] = [grid(nodes), grid(2 * nodes)];
        assert.ok(total(huggingFaceLayout(job, many)) <= total(huggingFaceLayout(job, few)));
        const key = ({ tensorParallel, pipelineParallel, workload }: TrainingLayout) =>
          JSON.stringify([
            tensorParallel,
            pipelineParallel,
            workload.megatron,
            workload.gradientCheckpointing,
          ]);
        const wide = new Map(megatronLayouts(job, many).map((layout) => [key(layout), layout]));
        for (const layout of megatronLayouts(job, few)) {
          const other = wide.get(key(layout));
          if (other !== undefined) assert.ok(total(other) <= total(layout) + 1e-6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("is 6 + 12/d bytes of a parameter of the stage, as Megatron-LM counts", () => {
    const job = jobOf("llama-3.1-70b", 32);
    const layout = megatronLayouts(job, grid(8)).find(
      ({ tensorParallel, pipelineParallel }) => tensorParallel === 8 && pipelineParallel === 4,
    );
    assert.ok(layout);
    const names = ["weights", "gradients", "optimizer"];
    const states = demand(job, layout)
      .parts.filter(({ name }) => names.includes(name))
      .reduce((sum, { mib }) => sum + mib * 1024 ** 2, 0);
    // 20 of 80 layers of 855,646,208 parameters and an embedding of 128,512 x 8,192, on 8 GPUs; two of them share the moments.
    const parameters = ((20 * (70_553_706_496 - 2 * 128_256 * 8192)) / 80 + 129_024 * 8192) / 8;
    assert.ok(
      Math.abs(states / (parameters * (6 + 12 / 2)) - 1) < 0.001,
      String(states / parameters),
    );
  });

  it("holds a pass for each stage, and more with interleaving", () => {
    const job = jobOf("llama-3.1-70b", 64, { ...full, gradientCheckpointing: false });
    const layouts = megatronLayouts(job, grid(4)).filter(
      ({ tensorParallel, pipelineParallel }) => tensorParallel === 8 && pipelineParallel === 4,
    );
    const activations = layouts.map((layout) => {
      const held = demand(job, layout).parts.find(({ why }) => why.includes("in flight"));
      return [layout.workload.megatron?.virtualStages, held?.mib ?? 0] as const;
    });
    const [one, two] = activations;
    assert.deepEqual([one?.[0], two?.[0]], [1, 2]);
    // 1 + (p - 1) / (p x v) times as many with v groups.
    assert.ok(Math.abs((two?.[1] ?? 0) / (one?.[1] ?? 1) - (1 + 3 / 8)) < 1e-6);
  });
});
