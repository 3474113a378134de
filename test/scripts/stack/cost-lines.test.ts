import assert from "node:assert/strict";
import { costLines, duration, runningCost } from "../../../scripts/stack/cost-lines.ts";

const outputs = {
  startedAt: "2026-11-24T12:00:00Z",
  expiresAt: "2026-11-24T16:00:00Z",
  hourlyUsd: 0.8,
  catalogueVersion: "2026-11-23",
};

describe("runningCost", () => {
  it("multiplies hours by the recorded price", () => {
    const cost = runningCost(outputs, new Date("2026-11-24T13:30:00Z"));
    assert.deepEqual(cost, { hours: 1.5, hourlyUsd: 0.8, soFarUsd: 1.2, hoursLeft: 2.5 });
  });

  it("counts nothing after the deadline", () => {
    const cost = runningCost(outputs, new Date("2026-11-25T12:00:00Z"));
    assert.deepEqual(cost, { hours: 4, hourlyUsd: 0.8, soFarUsd: 3.2, hoursLeft: -20 });
  });

  it("goes on without an end", () => {
    const cost = runningCost({ ...outputs, expiresAt: "" }, new Date("2026-11-25T12:00:00Z"));
    assert.deepEqual([cost?.hours, cost?.hoursLeft], [24, undefined]);
  });

  it("is not known before there is a host", () => {
    assert.equal(runningCost({}, new Date()), undefined);
  });
});

describe("costLines", () => {
  const text = (now: string): string => costLines(outputs, new Date(now)).join("\n");

  it("says cost and end", () => {
    assert.match(text("2026-11-24T13:30:00Z"), /\$1\.20 so far: 1 h 30 min at \$0\.8000 an hour/);
    assert.match(text("2026-11-24T13:30:00Z"), /ends {7}2026-11-24T16:00:00Z, in 2 h 30 min/);
    assert.match(text("2026-11-24T17:00:00Z"), /passed 1 h 0 min ago/);
  });

  it("says what the bound of a serverless endpoint leaves out", () => {
    const costOf = (provisionedConcurrency: number) => {
      const container = { requestForm: "chat" as const };
      const endpoint = { mode: "serverless", serverless: { provisionedConcurrency }, container };
      const plan = { modelId: "qwen2.5-1.5b", endpoint };
      return costLines({ ...outputs, plan }, new Date("2026-11-24T13:30:00Z"))[0];
    };
    assert.match(costOf(0) ?? "", /^cost +at most \$1\.20 so far, .*counts the answers$/);
    assert.match(costOf(2) ?? "", /counts the answers, not what is kept warm$/);
  });
});

describe("duration", () => {
  it("shows minutes below an hour", () => {
    assert.equal(duration(0.5), "30 min");
    assert.equal(duration(25.25), "25 h 15 min");
  });
});
