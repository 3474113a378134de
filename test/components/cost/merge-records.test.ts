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
    const first = mergeRecords([], {
      runs: [record("a", usage("i-1"), usage("i-2"))],
      seenAt: two,
    });
    const second = mergeRecords(first, { runs: [record("a", usage("i-2"))], seenAt: three });
    const last = mergeRecords(second, { runs: [], seenAt: four });
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
    const first = mergeRecords([], { runs: [record("a", usage("i-1"))], seenAt: two });
    const second = mergeRecords(first, {
      runs: [record("a", usage("i-1", "2026-11-24T13:00:00Z"))],
      seenAt: three,
    });
    assert.equal(second[0]?.record.usages[0]?.span.to, "2026-11-24T13:00:00Z");
  });
});

describe("mergeRecords, of what a later look cannot know", () => {
  const seen = (...looks: readonly (readonly [RunRecord | undefined, string])[]) => {
    let known = mergeRecords([], { runs: [], seenAt: two });
    for (const [found, seenAt] of looks) {
      known = mergeRecords(known, { runs: found === undefined ? [] : [found], seenAt });
    }
    return known[0]?.record.usages ?? [];
  };

  it("keeps the price of the launch, which held the disk and the address that are gone with their instance", () => {
    const disk: Usage = { ...usage("vol-1"), kind: "volume", units: 100 };
    const ended: Usage = {
      ...usage("i-1", "2026-11-24T13:30:00Z"),
      prices: [{ from: "2026-11-24T12:00:00Z", hourlyUsd: 1.5 }],
    };
    const usages = seen([record("a", disk, usage("i-1")), two], [record("a", ended), four]);
    const told = usages.map(({ resourceId, span, prices }) => [
      resourceId,
      span.to,
      prices[0].hourlyUsd,
    ]);
    assert.deepEqual(told, [
      ["vol-1", "2026-11-24T13:30:00Z", 1],
      ["i-1", "2026-11-24T13:30:00Z", 1],
    ]);
  });

  it("keeps the stop of an instance that was started again", () => {
    const stopped: Usage = { ...usage("i-1"), stopped: [{ from: "2026-11-24T13:00:00Z" }] };
    const again: Usage = { ...usage("i-1"), span: { from: three } };
    const [whole] = seen([record("a", stopped), two], [record("a", again), four]);
    assert.equal(whole?.span.from, "2026-11-24T12:00:00Z");
    assert.deepEqual(whole.stopped, [{ from: "2026-11-24T13:00:00Z", to: three }]);
  });

  it("counts a bucket by its size at each look", () => {
    const bucket = (units: number): Usage => ({ ...usage("weights"), kind: "bucket", units });
    const [sized] = seen(
      [record("a", bucket(10)), two],
      [record("a", bucket(10)), three],
      [record("a", bucket(30)), four],
    );
    const at = new Date("2026-11-24T17:00:00Z");
    // Three hours of 10 until the look that saw 10 last, then two of 30.
    assert.equal(totalUsd(ledgerOf([record("a", sized!)], at)), 30 + 60);
  });

  it("closes nothing of a kind that was not answered", () => {
    const first = mergeRecords([], { runs: [record("a", usage("i-1"))], seenAt: two });
    const unanswered = { "us-east-1": ["instance" as const] };
    const [kept] = mergeRecords(first, { runs: [], seenAt: three, unanswered });
    assert.equal(kept?.record.usages[0]?.span.to, undefined);
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
