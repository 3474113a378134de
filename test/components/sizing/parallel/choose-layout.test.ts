import assert from "node:assert/strict";
import fc from "fast-check";
import { usableMemoryMiB } from "../../../../components/catalogue/accelerator.ts";
import { findModel } from "../../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import { middle } from "../../../../components/range.ts";
import type { TrainingJob } from "../../../../components/sizing/job.ts";
import {
  chooseLayout,
  stepOf,
  type TrainingHosts,
} from "../../../../components/sizing/parallel/choose-layout.ts";
import { layoutBook } from "../../../../components/sizing/parallel/layout-book.ts";
import {
  huggingFaceLayout,
  layoutOfWay,
  megatronFamilies,
  waysOf,
} from "../../../../components/sizing/parallel/layouts.ts";
import { weighHosts } from "../../../../components/sizing/parallel/weigh-hosts.ts";
import type { TrainingLayout } from "../../../../components/sizing/parallel/training-layout.ts";
import { trainingDemand } from "../../../../components/sizing/training-demand.ts";
import { verdict } from "../../../../components/sizing/verdict.ts";

const catalogue = loadCatalogue();
const types = catalogue.instanceTypes.filter(({ gpuCount }) => gpuCount > 1);

function hostsOf(name: string, nodes: number): TrainingHosts {
  const type = types.find(({ instanceType }) => instanceType === name)!;
  const accelerator = catalogue.accelerators.find(({ model }) => model === type.gpuModel)!;
  const { gpuCount: gpusPerNode, nvlink = false, networkGbps } = type;
  const usableMiB = usableMemoryMiB(accelerator) ?? 0;
  return { accelerator, usableMiB, nodes, gpusPerNode, nvlink, networkGbps };
}

function everyDemand(job: TrainingJob, hosts: TrainingHosts) {
  const grid = { ...hosts, bf16: hosts.accelerator.supportsBf16 === true };
  const weighed = (layout: TrainingLayout) => {
    const { tensorParallel, pipelineParallel, dataParallel, workload } = layout;
    const split = { tensorParallel, pipelineParallel, dataParallel };
    return { layout, demand: trainingDemand(job.model, workload, split) };
  };
  return {
    plain: weighed(huggingFaceLayout(job, grid)),
    megatron: megatronFamilies(job, grid)
      .flatMap((family) => waysOf(job, family))
      .map((way) => weighed(layoutOfWay(job, grid, way))),
  };
}

/** The rule of docs/plan.md, without a shortcut: every layout is weighed and timed, for these hosts alone. */
function bySearch(job: TrainingJob, hosts: TrainingHosts) {
  const { plain, megatron } = everyDemand(job, hosts);
  const pace = (layout: TrainingLayout) => {
    const step = stepOf(job, layout, hosts);
    return step === undefined ? Infinity : middle(step.stepSeconds) / step.tokensPerStep;
  };
  for (const wanted of ["comfortable", "fits"] as const) {
    const holds = ({ demand }: typeof plain) => verdict(demand, hosts.usableMiB)[wanted];
    const first = hosts.nodes === 1 || job.workload.method !== "full";
    if (holds(plain) && first) return plain;
    const size = ({ layout }: typeof plain) => layout.tensorParallel * layout.pipelineParallel;
    const other = megatron
      .filter(holds)
      .map((each) => ({ each, seconds: pace(each.layout) }))
      .toSorted((a, b) =>
        a.seconds === b.seconds ? size(a.each) - size(b.each) : a.seconds - b.seconds,
      )[0];
    if (!holds(plain)) {
      if (other !== undefined) return other.each;
      continue;
    }
    const faster = other !== undefined && other.seconds / pace(plain.layout) <= 0.8;
    return faster ? other.each : plain;
  }
  return "none holds it";
}

const anyJob = fc
  .record({
    id: fc.constantFrom("llama-2-7b", "llama-3.1-70b", "qwen3-30b-a3b", "falcon-40b", "opt-175b"),
    method: fc.constantFrom("full", "lora" as const),
    sequenceTokens: fc.constantFrom(512, 2048, 16_384),
    microBatch: fc.constantFrom(1, 3),
    gradientCheckpointing: fc.boolean(),
    globalBatch: fc.constantFrom(1, 16, 96),
  })
  .map(({ id, method, globalBatch, ...rest }): TrainingJob => {
    const precision = method === "full" ? "amp" : "bf16";
    return {
      task: "finetune",
      model: findModel(id, catalogue),
      workload: { method, precision, optimizer: "adamw", ...rest },
      datasetTokens: 1e6,
      epochs: 1,
      globalBatch,
      wishes: { framework: "auto", tensorParallel: undefined, pipelineParallel: undefined },
    };
  });
const anyHosts = fc.tuple(
  fc.constantFrom("g5.48xlarge", "p4d.24xlarge", "p4de.24xlarge", "p5.48xlarge", "p5e.48xlarge"),
  fc.constantFrom(1, 2, 3, 4, 6),
);

describe("chooseLayout", () => {
  it("answers as a search does that weighs every layout, for types that share one book", () => {
    fc.assert(
      fc.property(anyJob, fc.array(anyHosts, { minLength: 1, maxLength: 3 }), (job, each) => {
        const book = layoutBook(job);
        for (const [name, nodes] of each) {
          const hosts = hostsOf(name, nodes);
          const found = chooseLayout(job, hosts, book);
          const answer = typeof found === "function" ? "none holds it" : found;
          assert.deepEqual(answer, bySearch(job, hosts));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("stepOf", () => {
  it("knows how long each layout takes, also where the GPUs exchange over PCIe", () => {
    const job: TrainingJob = {
      task: "finetune",
      model: findModel("qwen3-30b-a3b", catalogue),
      workload: {
        method: "lora",
        precision: "bf16",
        optimizer: "adamw",
        sequenceTokens: 32_768,
        microBatch: 1,
        gradientCheckpointing: true,
      },
      datasetTokens: 1e6,
      epochs: 1,
      globalBatch: 16,
      wishes: { framework: "megatron", tensorParallel: undefined, pipelineParallel: undefined },
    };
    const expertsAsked = { ...job, wishes: { ...job.wishes, expertParallel: 4 } };
    for (const [name, nodes] of [["g6e.12xlarge", 1] as const, ["g5.48xlarge", 2] as const]) {
      const hosts = hostsOf(name, nodes);
      const grid = { ...hosts, bf16: hosts.accelerator.supportsBf16 === true };
      const layouts = [job, expertsAsked].flatMap((each) =>
        megatronFamilies(each, grid)
          .flatMap((family) => waysOf(each, family))
          .map((way) => layoutOfWay(each, grid, way)),
      );
      assert.ok(layouts.length > 0);
      for (const layout of layouts) {
        assert.ok(Number.isFinite(stepOf(job, layout, hosts)?.stepSeconds.high), name);
      }
    }
  });
});

describe("weighHosts", () => {
  const jobBy = (framework: TrainingJob["wishes"]["framework"]): TrainingJob => ({
    task: "finetune",
    model: findModel("llama-3.1-70b", catalogue),
    workload: {
      method: "full",
      precision: "amp",
      optimizer: "adamw",
      sequenceTokens: 2048,
      microBatch: 1,
      gradientCheckpointing: true,
    },
    datasetTokens: 1e6,
    epochs: 1,
    globalBatch: 16,
    wishes: { framework, tensorParallel: undefined, pipelineParallel: undefined },
  });

  it("says what lacks where Megatron-LM is asked for on GPUs that cannot hold the states", () => {
    const job = jobBy("megatron");
    const type = types.find(({ instanceType }) => instanceType === "g5.12xlarge")!;
    const found = weighHosts(job, type, {
      range: { least: 1, most: 1 },
      gpu: hostsOf("g5.12xlarge", 1),
      book: layoutBook(job),
    });
    assert.ok("kind" in found);
    assert.match(found.reason, /^needs up to [\d.]+ GiB on each of 4 GPUs/);
  });

  it("says of PCIe, of counts that do not divide and of GPUs without bf16 what keeps Megatron-LM off them", () => {
    const job = jobBy("megatron");
    const told = (name: string, wishes: Partial<TrainingJob["wishes"]>) => {
      const asked = { ...job, wishes: { ...job.wishes, ...wishes } };
      const found = weighHosts(
        asked,
        types.find(({ instanceType }) => instanceType === name)!,
        {
          range: { least: 1, most: 1 },
          gpu: hostsOf(name, 1),
          book: layoutBook(asked),
        },
      );
      return "kind" in found ? `${found.kind}: ${found.reason}` : "holds";
    };
    const pcie =
      /^interconnect: its GPUs are joined by PCIe, and tensor 4 parallel is laid out over NVLink alone$/;
    assert.match(told("g6e.12xlarge", { tensorParallel: 4 }), pcie);
    const both = /PCIe, and tensor 2 and context 2 parallel is laid out/;
    assert.match(told("g6e.12xlarge", { tensorParallel: 2, contextParallel: 2 }), both);
    const uneven = /^interconnect: its 8 GPUs do not divide into tensor 4 x pipeline 5$/;
    assert.match(told("p5.48xlarge", { tensorParallel: 4, pipelineParallel: 5 }), uneven);
    assert.match(told("p5.48xlarge", { tensorParallel: 16 }), /into tensor-parallel groups of 16$/);
    assert.match(told("g4dn.12xlarge", { pipelineParallel: 2 }), /^software: .* no bf16/);
  });

  it("says of too few hosts what the nearest layout over the most of them needs", () => {
    const job = jobBy("auto");
    const type = types.find(({ instanceType }) => instanceType === "p4d.24xlarge")!;
    const hosts = hostsOf("p4d.24xlarge", 4);
    const found = weighHosts(job, type, {
      range: { least: 1, most: 4 },
      gpu: hosts,
      book: layoutBook(job),
    });
    assert.ok("kind" in found);
    const { plain, megatron } = everyDemand(job, hosts);
    const least = Math.min(...[plain, ...megatron].map(({ demand }) => demand.highMiB));
    const text = `needs up to ${(least / 1024).toFixed(1)} GiB on each of 32 GPUs`;
    assert.ok(found.reason.startsWith(text), `${found.reason}, and not ${text}`);
  });
});
