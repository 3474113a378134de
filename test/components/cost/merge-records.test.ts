import assert from "node:assert/strict";
import { chartHtml } from "../../../components/cost/chart-html.ts";
import { ledgerOf, totalUsd } from "../../../components/cost/ledger.ts";
import { mergeRecords } from "../../../components/cost/merge-records.ts";
import type { RunRecord, Usage } from "../../../components/cost/usage.ts";

const usage = (resourceId: string, to?: string): Usage => ({
  kind: "instance",
  resourceId,
  type: "g6.xlarge",
  units: 1,
  span: { from: "2026-11-24T12:00:00Z", to },
  prices: [{ from: "2026-11-24T12:00:00Z", hourlyUsd: 1 }],
});

const record = (runId: string, ...usages: readonly Usage[]): RunRecord => ({
  ...{ runId, stack: "dev", env: "dev", owner: "<b>alice</b>", model: "m", region: "us-east-1" },
  usages,
  charges: [],
});

const [two, three, four] = ["14", "15", "16"].map((hour) => `2026-11-24T${hour}:00:00Z`) as [
  string,
  string,
  string,
];

describe("mergeRecords", () => {
  it("remembers what the account no longer lists, until the look that missed it", () => {
    const first = mergeRecords([], [record("a", usage("i-1"), usage("i-2"))], two);
    const second = mergeRecords(first, [record("a", usage("i-2"))], three);
    const last = mergeRecords(second, [], four);
    const ends = last[0]?.record.usages.map(({ resourceId, span }) => [resourceId, span.to]);
    assert.deepEqual(ends, [
      ["i-1", three],
      ["i-2", four],
    ]);
    const lines = ledgerOf(
      last.map((seen) => seen.record),
      new Date("2027-01-01"),
    );
    assert.equal(totalUsd(lines), 7);
  });

  it("takes the account's own word for an end", () => {
    const first = mergeRecords([], [record("a", usage("i-1"))], two);
    const second = mergeRecords(first, [record("a", usage("i-1", "2026-11-24T13:00:00Z"))], three);
    assert.equal(second[0]?.record.usages[0]?.span.to, "2026-11-24T13:00:00Z");
  });
});

describe("chartHtml", () => {
  it("is one file that loads nothing, and escapes what people named", () => {
    const html = chartHtml(ledgerOf([record("a", usage("i-1", two))], new Date(four)), four);
    assert.ok(html.includes("<h1>$2.00</h1>"));
    assert.ok(!html.includes("<b>alice"));
    assert.doesNotMatch(html, /src=|href=|@import|url\(/);
    assert.match(html, /<title>2026-11-24: \$2\.00<\/title>/);
  });
});
