import assert from "node:assert/strict";
import fc from "fast-check";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import type { Rung } from "../../../components/plan-report/report.ts";
import { decide } from "../../../components/sizing/decide.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { servingDemand } from "../../../components/sizing/serving-demand.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-3.1-8b",
  env: "dev",
  region: "us-east-1",
  spot: false,
  leaseHours: undefined,
};

describe("Rung", () => {
  it("counts as many sequences at once as its memory holds, and not one more", () => {
    const models = fc.constantFrom("llama-2-7b", "llama-3.1-8b", "qwen2.5-14b", "deepseek-v3");
    fc.assert(
      fc.property(models, fc.integer({ min: 1, max: 6 }), (id, concurrency) => {
        const { ladder, job, model } = decide({ ...base, model: id, concurrency }, catalogue);
        const [rung] = ladder;
        const most = rung?.fullLoad?.concurrency;
        if (rung === undefined || most === undefined || job.task !== "serve") return;
        const held = (sequences: number): boolean => {
          const workload = { ...job.workload, concurrency: sequences };
          const { tensorParallel, pipelineParallel } = rung;
          const split = { tensorParallel, pipelineParallel };
          const { totalMiB, utilisation, outsideMiB } = servingDemand(model, workload, split);
          const limitMiB = rung.gpuMemoryMiB * utilisation + outsideMiB;
          return totalMiB <= Math.min(limitMiB, rung.gpuMemoryMiB) + 1e-6;
        };
        assert.ok(held(most), `${id}: ${most}`);
        if (most < 256) assert.ok(!held(most + 1), `${id}: ${most + 1}`);
      }),
      { numRuns: 12 },
    );
  });

  it("is cheaper a token the more is answered at once", () => {
    const [rung] = decide(base, catalogue).ladder;
    const one = rung?.perMillionTokensUsd;
    const full = rung?.fullLoad?.perMillionTokensUsd;
    assert.ok(one !== undefined && full !== undefined && full.high < one.low);
  });

  it("has speed and energy for every type that can be launched", () => {
    const all: readonly Rung[] = decide({ ...base, model: "qwen2.5-0.5b" }, catalogue).ladder;
    for (const { speed, energy, software, instanceType } of all) {
      assert.ok(
        speed !== undefined && energy !== undefined && software !== undefined,
        instanceType,
      );
    }
  });
});
