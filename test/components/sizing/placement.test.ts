import assert from "node:assert/strict";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { decide } from "../../../components/sizing/decide.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";

const catalogue = loadCatalogue();

/** What is decided where one type alone may be taken, whose row has something different. */
function decideOn(instanceType: string, change: Partial<PlanRequest>, row: object = {}) {
  const base = { model: "qwen2.5-7b", env: "dev", region: "us-east-1", spot: false };
  const instanceTypes = catalogue.instanceTypes.map((type) =>
    type.instanceType === instanceType ? { ...type, ...row } : type,
  );
  const request = { ...base, leaseHours: undefined, instanceTypes: [instanceType], ...change };
  const { ladder, rejected } = decide(request, { ...catalogue, instanceTypes });
  const refused = rejected.find((each) => each.instanceType === instanceType);
  return { rung: ladder[0], reason: refused?.reason ?? "" };
}

describe("findPlacements", () => {
  it("takes the smallest split with room to spare, though a smaller one starts", () => {
    const few = decideOn("g6.12xlarge", { concurrency: 1 });
    assert.deepEqual([few.rung?.tensorParallel, few.rung?.comfortable], [1, true]);
    const many = decideOn("g6.12xlarge", { concurrency: 64 });
    assert.deepEqual([many.rung?.tensorParallel, many.rung?.comfortable], [2, true]);
  });

  it("takes of pipelines the one of the fewest stages, though one of more uses a GPU less", () => {
    const { rung } = decideOn("p6-b300.48xlarge", { model: "kimi-k3", env: "prod" });
    assert.deepEqual([rung?.tensorParallel, rung?.pipelineParallel], [4, 2]);
  });

  it("holds a limit against all of an hour, not the instance alone", () => {
    const { instanceUsd, totalUsd } = decideOn("g6.xlarge", {}).rung!.hourly;
    assert.ok(instanceUsd < totalUsd);
    assert.ok(decideOn("g6.xlarge", { maxHourlyUsd: totalUsd }).rung);
    const between = { maxHourlyUsd: (instanceUsd + totalUsd) / 2 };
    assert.match(decideOn("g6.xlarge", between).reason, /an hour with its volume, above the limit/);
  });

  it("refuses a host whose memory does not load the model, by as little as it may be", () => {
    // A system of 4 GiB, a process of 3 and a shard of 5.
    assert.ok(decideOn("g6.xlarge", {}, { memoryGiB: 12 }).rung);
    const { reason } = decideOn("g6.xlarge", {}, { memoryGiB: 11.5 });
    assert.equal(reason, "loading needs 12 GiB of host memory, and it has 11.5");
  });
});
