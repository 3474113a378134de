import assert from "node:assert/strict";
import { bakeKey } from "../../../components/gpu-host/baked-image.ts";
import { somePlan } from "../../support/builders.ts";

describe("bakeKey", () => {
  it("is the same for what an image would be the same for, and for nothing else", () => {
    const plan = somePlan();
    const key = bakeKey(plan, "base");
    assert.match(key, /^[0-9a-f]{24}$/);
    assert.equal(bakeKey({ ...plan }, "base"), key);
    const [chosen, ...others] = plan.ladder;
    const elsewhere = { ...chosen, instanceType: "g9.xlarge", hourlyUsd: 9 };
    assert.equal(bakeKey({ ...plan, ladder: [elsewhere, ...others] }, "base"), key);
    const gpu = { ...chosen, gpuModel: "H100" };
    const changed = [
      bakeKey(plan, "another base"),
      bakeKey({ ...plan, engine: "transformers" }, "base"),
      bakeKey({ ...plan, ladder: [gpu, ...others] }, "base"),
    ];
    assert.equal(new Set([key, ...changed]).size, 4);
  });
});
