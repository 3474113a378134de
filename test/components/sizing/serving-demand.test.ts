import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { servingDemand } from "../../../components/sizing/serving-demand.ts";
import { verdict } from "../../../components/sizing/verdict.ts";
import type { ServingWorkload } from "../../../components/sizing/workload.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const model = (id: string) => findModel(id, catalogue);
const load: ServingWorkload = {
  contextTokens: 4096,
  concurrency: 1,
  precision: "native",
  engine: "vllm",
};
const over = (tensorParallel: number, pipelineParallel = 1) => ({
  tensorParallel,
  pipelineParallel,
});

describe("verdict", () => {
  it("holds what the engine's share leaves out against the whole of the GPU", () => {
    const demand = servingDemand(model("llama-3.1-8b"), load);
    const edge = { ...demand, outsideMiB: 2000, startMiB: 10_000, highMiB: 11_000, utilisation: 1 };
    assert.equal(verdict(edge, 9_999).fits, false);
    assert.deepEqual(
      [verdict(edge, 10_000).fits, verdict(edge, 10_000).comfortable],
      [true, false],
    );
    assert.equal(verdict(edge, 11_000).comfortable, true);
  });
});

describe("servingDemand", () => {
  it("reserves room for adapters of the highest rank, as many as are served, whatever their own size", () => {
    const adapters = { count: 2, rank: 16 };
    const partMiB = (tensorParallel: number) => {
      const { parts } = servingDemand(
        model("llama-3.1-8b"),
        { ...load, adapters },
        over(tensorParallel),
      );
      return parts.find(({ name }) => name === "adapters")?.mib ?? 0;
    };
    // Inputs and outputs of a layer's matrices are 81,920 wide; the two tables are 4,096 and 128,256 wide.
    const bytes = 2 * 16 * 2 * (32 * 81_920 + 2 * (4096 + 128_256));
    assert.ok(Math.abs(partMiB(1) - bytes / 2 ** 20) < 0.01, String(partMiB(1)));
    const split = 2 * 16 * 2 * (32 * (28_672 + 53_248 / 2) + 2 * (4096 + 64_128));
    assert.ok(Math.abs(partMiB(2) - split / 2 ** 20) < 0.01, String(partMiB(2)));
    const without = servingDemand(model("llama-3.1-8b"), load);
    assert.ok(!without.parts.some(({ name }) => name === "adapters"));
  });

  it("counts the stage with the most layers where they do not divide evenly", () => {
    const stageMiB = (stages: number) => {
      const { parts } = servingDemand(model("qwen2.5-7b"), load, over(1, stages));
      return parts.find(({ name }) => name === "weights")?.mib ?? 0;
    };
    // 28 layers: 10 of them in the fullest of 3 stages, 2 in each of 14, 1 in each of 28.
    const ratio = (stageMiB(3) - stageMiB(14)) / (stageMiB(14) - stageMiB(28));
    assert.ok(Math.abs(ratio - 8) < 1e-6, String(ratio));
  });

  it("leaves llama.cpp's table of tokens to the host, but not one that is the head too", () => {
    const weightsMiB = (id: string, engine: ServingWorkload["engine"]) => {
      const { parts } = servingDemand(model(id), { ...load, engine });
      return parts.find(({ name }) => name === "weights")?.mib ?? 0;
    };
    const spared = (id: string) => weightsMiB(id, "vllm") - weightsMiB(id, "llama.cpp");
    // 128,256 tokens x 4,096 columns x 2 bytes.
    assert.ok(Math.abs(spared("llama-3.1-8b") - 1002) < 0.01, String(spared("llama-3.1-8b")));
    assert.equal(spared("qwen2.5-1.5b"), 0);
  });

  it("adds up the parts for one GPU", () => {
    const demand = servingDemand(model("llama-3.1-8b"), load);
    assert.equal(demand.kvCacheMiB, 512);
    const sum = demand.parts.reduce((total, { mib }) => total + mib, 0);
    assert.ok(Math.abs(demand.totalMiB - sum) < 1e-6);
    assert.ok(demand.lowMiB < demand.totalMiB && demand.totalMiB < demand.highMiB);
  });

  it("divides weights and grouped heads, and not the context", () => {
    const one = servingDemand(model("llama-3.3-70b"), load, over(1));
    const four = servingDemand(model("llama-3.3-70b"), load, over(4));
    assert.equal(four.weightsMiB, one.weightsMiB / 4);
    assert.equal(four.kvCacheMiB, one.kvCacheMiB / 4);
    const context = (parts: typeof one.parts) => parts.find(({ name }) => name === "runtime")?.mib;
    assert.equal(context(four.parts), context(one.parts));
  });

  it("holds files of 32 bit in 16 where the server does", () => {
    const of = (engine: "vllm" | "transformers") =>
      servingDemand(model("starcoder-15.5b"), { ...load, engine }).weightsMiB;
    assert.ok(Math.abs(of("transformers") / of("vllm") - 2) < 0.001);
  });

  it("starts with one sequence where the engine queues the others", () => {
    const one = servingDemand(model("llama-3.1-8b"), load);
    const ten = servingDemand(model("llama-3.1-8b"), { ...load, concurrency: 10 });
    assert.equal(ten.startMiB, one.totalMiB);
    assert.equal(ten.totalMiB - one.totalMiB, 9 * 512);
  });

  describe("of windows in vLLM", () => {
    const gemma = { ...load, contextTokens: 262_144 };
    // Layers with a window: 50, of 16 heads of 256 numbers.
    const mibPerToken = (50 * 2 * 16 * 256 * 2) / 1024 ** 2;
    const of = (workload: ServingWorkload) => servingDemand(model("gemma-4-31b"), workload);

    it("holds a step of the prompt past them, for one sequence", () => {
      const withoutStep = 262_144 * 0.078125 + 1024 * mibPerToken;
      assert.equal(of(gemma).kvCacheMiB, withoutStep + 8192 * mibPerToken);
      const four = of({ ...gemma, concurrency: 4 });
      assert.equal(four.kvCacheMiB, 4 * withoutStep + 8192 * mibPerToken);
      assert.ok(Math.abs(four.startMiB - of(gemma).totalMiB) < 1e-6);
    });

    it("has smaller steps on smaller GPUs, and none past the context", () => {
      const step = (workload: ServingWorkload) => {
        const once = of(workload).kvCacheMiB;
        return once * 2 - of({ ...workload, concurrency: 2 }).kvCacheMiB;
      };
      assert.equal(step({ ...gemma, gpuMemoryMiB: 48 * 1024 }), 2048 * mibPerToken);
      assert.equal(step({ ...gemma, contextTokens: 1024 + 16 }), 16 * mibPerToken);
      assert.equal(step({ ...gemma, contextTokens: 512 }), 0);
      assert.equal(step({ ...gemma, batchedTokens: 100 }), 100 * mibPerToken);
    });

    it("is not in other engines, nor in models without", () => {
      const tgi = servingDemand(model("gemma-4-31b"), { ...gemma, engine: "tgi" });
      assert.equal(tgi.kvCacheMiB, 262_144 * 0.078125 + 1024 * mibPerToken);
      assert.equal(servingDemand(model("llama-3.1-8b"), load).kvCacheMiB, 512);
    });
  });

  it("names every setting that makes no sense at once", () => {
    const wrong = { ...load, contextTokens: -1, concurrency: Number.NaN, utilisation: 2 };
    assert.throws(
      () => servingDemand(model("llama-3.1-8b"), wrong),
      (error) => error instanceof UserError && error.problems.length === 3,
    );
  });

  it("refuses to serve images with a text engine", () => {
    assert.throws(() => servingDemand(model("flux.1-dev"), load), UserError);
  });
});

describe("verdict", () => {
  const demand = servingDemand(model("llama-3.1-8b"), { ...load, concurrency: 8 });

  it("fits from what it takes to start, within the engine's share", () => {
    const exactly = Math.max((demand.startMiB - demand.outsideMiB) / 0.92, demand.startMiB);
    assert.equal(verdict(demand, exactly + 1).fits, true);
    assert.equal(verdict(demand, exactly - 1).fits, false);
  });

  it("is comfortable only where it fits and the upper end of the load does too", () => {
    const exactly = Math.max((demand.highMiB - demand.outsideMiB) / 0.92, demand.highMiB);
    assert.equal(verdict(demand, exactly + 1).comfortable, true);
    assert.equal(verdict(demand, exactly - 1).comfortable, false);
    for (let usable = 3000; usable < 40_000; usable += 500) {
      const { fits, comfortable } = verdict(demand, usable);
      if (comfortable) assert.ok(fits);
    }
  });
});
