import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { parseOwnGpus } from "../../../components/own-machine/card.ts";
import { makeReport, type OwnGpus } from "../../../components/plan-report/make-report.ts";
import { planJsonSchema, planReportSchema } from "../../../components/plan-report/report-schema.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-2-7b",
  env: "dev",
  region: "us-east-1",
  spot: true,
  leaseHours: 4,
};
const own: OwnGpus = { gpus: parseOwnGpus("RTX 3060 12GB"), electricityUsdPerKwh: 0.17 };

/** What a reader of the JSON gets. */
function printed(change: Partial<PlanRequest>, gpus?: OwnGpus): unknown {
  return JSON.parse(JSON.stringify(makeReport({ ...base, ...change }, catalogue, gpus)));
}

describe("planReportSchema", () => {
  const cases: readonly (readonly [string, Partial<PlanRequest>, OwnGpus?])[] = [
    ["a server", {}],
    ["a server beside own GPUs", { concurrency: 4 }, own],
    ["two regions on demand", { otherRegions: ["eu-west-1"], spot: false, leaseHours: undefined }],
    [
      "a fine-tuning",
      { task: "finetune", training: { method: "qlora", datasetTokens: 5_000_000 } },
    ],
    ["a training", { task: "train", model: "gpt-neo-125m" }],
    ["an image model", { model: "stable-diffusion-xl-base-1.0" }],
    ["what nothing holds", { model: "llama-3.1-405b", gpuCount: 1 }, own],
  ];
  for (const [name, change, gpus] of cases) {
    it(`holds ${name}`, () => {
      planReportSchema.parse(printed(change, gpus));
    });
  }

  it("refuses a field that it does not describe", () => {
    const report = printed({}) as object;
    assert.equal(planReportSchema.safeParse({ ...report, extra: 1 }).success, false);
  });

  it("is what docs/plan.schema.json says", () => {
    const path = new URL("../../../docs/plan.schema.json", import.meta.url);
    const written: unknown = JSON.parse(readFileSync(path, "utf8"));
    assert.deepEqual(written, JSON.parse(JSON.stringify(planJsonSchema())));
  });
});
