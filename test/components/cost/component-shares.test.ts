import assert from "node:assert/strict";
import fc from "fast-check";
import { sharedOut } from "../../../components/cost/component-shares.ts";
import { ledgerOf, sumBy } from "../../../components/cost/ledger.ts";
import type { Usage } from "../../../components/cost/usage.ts";

const from = "2026-11-26T00:00:00Z";
const later = "2026-11-26T01:00:00Z";
const usage: Usage = {
  kind: "endpoint",
  resourceId: "dev-e",
  type: "ml.g6.12xlarge",
  units: 1,
  span: { from },
  prices: [{ from, hourlyUsd: 4 }],
};
const copies = (name: string, shareOfInstance: number, units: readonly number[] = []) => ({
  ...{ name: `dev-e-${name}`, modelId: name, shareOfInstance, copies: 1 },
  measured: units.map((each, hour) => ({
    ...{ from: [from, later][hour] ?? later, units: each },
    to: [later, "2026-11-26T02:00:00Z"][hour] ?? "",
  })),
});
const byModel = (usages: readonly Usage[], until: string) => {
  const run = { runId: "r", stack: "dev", env: "dev", owner: "o", model: "a", region: "us-east-1" };
  const sums = sumBy(ledgerOf([{ ...run, usages, charges: [] }], new Date(until)), "model");
  return Object.fromEntries(sums.map(({ name, usd }) => [name, Number(usd.toFixed(4))]));
};

describe("sharedOut", () => {
  it("gives each model its GPUs' share of the hours, and names the rest", () => {
    const measured = [
      { from, to: later, units: 1 },
      { from: later, to: "2026-11-26T02:00:00Z", units: 2 },
    ];
    const shared = sharedOut({ ...usage, measured }, [
      copies("a", 0.25, [1, 1]),
      copies("b", 0.5, [0, 2]),
    ]);
    assert.deepEqual(byModel(shared, "2026-11-26T02:00:00Z"), { a: 2, b: 4, "(idle)": 6 });
    assert.equal(shared.at(-1)?.resourceId, "dev-e", "what a look before recorded goes on as it");
  });

  it("counts the copies of now where no hour was reported", () => {
    const shared = sharedOut(usage, [copies("a", 0.25), copies("b", 0.5)]);
    assert.deepEqual(byModel(shared, later), { a: 1, b: 2, "(idle)": 1 });
  });

  it("never makes the whole dearer or cheaper while the copies fit", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.5, noNaN: true }), (share) => {
        const shared = sharedOut(usage, [copies("a", share), copies("b", share)]);
        const sum = shared.reduce((total, { units }) => total + units, 0);
        assert.ok(Math.abs(sum - 1) < 1e-9);
      }),
    );
  });
});
