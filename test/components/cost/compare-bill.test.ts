import assert from "node:assert/strict";
import { compareBill, wholeDays, type BilledDay } from "../../../components/cost/compare-bill.ts";
import type { LedgerLine } from "../../../components/cost/ledger.ts";

const line = (stack: string, day: string, usd: number): LedgerLine => ({
  ...{ runId: "r", stack, env: "dev", owner: "alice", model: "m", region: "us-east-1", day },
  ...{ kind: "instance", resourceId: "i-1", type: "g6.xlarge", unitHours: 1, usd },
});
const billed = (stack: string, day: string, usd: number, estimated = false): BilledDay => ({
  ...{ stack, day, usd, estimated },
});

describe("compareBill", () => {
  it("says the error by stack and in all, and no reason for what is within 2 %", () => {
    const compared = compareBill(
      [
        line("dev", "2026-11-01", 4.9),
        line("dev", "2026-11-02", 5),
        line("prod", "2026-11-02", 20),
      ],
      [billed("dev", "2026-11-01", 10), billed("prod", "2026-11-02", 20)],
    );
    assert.deepEqual(
      compared.stacks.map(({ stack, errorPercent }) => [stack, errorPercent?.toFixed(1)]),
      [
        ["prod", "0.0"],
        ["dev", "-1.0"],
      ],
    );
    assert.equal(compared.errorPercent?.toFixed(2), "-0.33");
    assert.deepEqual(compared.reasons, []);
  });

  it("says why a bill may be higher, lower, late or silent", () => {
    const ours = [line("dev", "2026-11-01", 10)];
    const reasons = (usd: number, estimated = false) =>
      compareBill(ours, [billed("dev", "2026-11-01", usd, estimated)]).reasons.join("\n");
    assert.match(reasons(12), /transfer, requests/);
    assert.match(reasons(8), /list prices/);
    assert.match(reasons(8, true), /1 of the days an estimate/);
    assert.match(compareBill(ours, []).reasons.join(), /has not activated it/);
    assert.deepEqual(compareBill([], []).reasons, []);
  });
});

describe("wholeDays", () => {
  it("leaves today out, which no bill knows yet", () => {
    const now = new Date("2026-11-03T10:00:00Z");
    assert.deepEqual(wholeDays([line("dev", "2026-11-01", 1), line("dev", "2026-11-03", 1)], now), {
      from: "2026-11-01",
      until: "2026-11-03",
    });
    assert.equal(wholeDays([line("dev", "2026-11-03", 1)], now), undefined);
    assert.equal(wholeDays([], now), undefined);
  });
});
