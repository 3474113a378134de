import assert from "node:assert/strict";
import fc from "fast-check";
import {
  auditRuns,
  graceMinutes,
  isFixable,
  type AccountThing,
} from "../../../components/teardown/audit.ts";

const now = new Date("2026-11-24T16:00:00Z");
const deadline = (minutesAgo: number) =>
  `${new Date(now.getTime() - minutesAgo * 60_000).toISOString().slice(0, 19)}Z`;

function thing(kind: string, change: Readonly<Record<string, string>> = {}): AccountThing {
  const tags = {
    "berth:stack": "dev",
    "berth:owner": "alice",
    "berth:run-id": "0123456789ab",
    "berth:hourly-usd": "0.8048",
    "berth:protect": "false",
    ...change,
  };
  return { region: "us-east-1", service: "ec2", kind, id: `${kind}-1`, tags };
}

const group = (minutesAgo: number): AccountThing => ({
  ...thing("schedule-group", { "berth:expires-at": deadline(minutesAgo) }),
  service: "scheduler",
});

describe("auditRuns", () => {
  const verdictOf = (...things: readonly AccountThing[]) => auditRuns(things, now)[0]?.verdict;

  it("tells what runs from what is over, protected, endless, unguarded or mere remains", () => {
    const running = thing("instance", { "berth:expires-at": deadline(-60) });
    assert.equal(verdictOf(running, group(-60)), "running");
    assert.equal(verdictOf(running), "unguarded");
    assert.equal(verdictOf(thing("instance")), "endless");
    assert.equal(verdictOf(thing("volume"), group(60)), "past-deadline");
    assert.equal(verdictOf(thing("instance", { "berth:protect": "true" }), group(60)), "protected");
    assert.equal(verdictOf(thing("vpc"), thing("role")), "remains");
    const protect = { "berth:protect": "true" };
    const ofDeadline = thing("schedule-group", { ...protect, "berth:expires-at": deadline(60) });
    assert.equal(verdictOf(ofDeadline, thing("role")), "protected");
    // That of weekly hours says no deadline, and is not told when the protection goes.
    assert.equal(verdictOf(thing("schedule-group", protect), group(60)), "remains");
  });

  it("gives the schedules their quarter of an hour, and believes the latest deadline", () => {
    const late = thing("instance", { "berth:expires-at": deadline(graceMinutes - 1) });
    assert.equal(verdictOf(late, group(graceMinutes - 1)), "running");
    assert.equal(
      verdictOf(thing("instance", { "berth:expires-at": deadline(99) }), group(-60)),
      "running",
    );
  });

  it("counts a deployment's price once, and only while it has a host", () => {
    const [run] = auditRuns([thing("instance"), thing("volume"), thing("vpc")], now);
    assert.equal(run?.hourlyUsd, 0.8048);
    assert.equal(auditRuns([thing("volume")], now)[0]?.hourlyUsd, 0);
  });

  it("lets --fix have a budget and the role that denies whose stack is gone, and none that an up may be at work beside", () => {
    const role = (minutesAgo: number) => ({ ...thing("role"), changedAt: deadline(minutesAgo) });
    const budget = (minutesAgo: number, change: Readonly<Record<string, string>> = {}) => {
      const changedAt = deadline(minutesAgo);
      return { ...thing("budget", change), service: "budgets", changedAt };
    };
    const fixable = (complete: boolean, ...things: readonly AccountThing[]) =>
      auditRuns(things, now).some((run) => isFixable(run, now, complete));
    assert.equal(verdictOf(budget(90)), "remains");
    assert.equal(fixable(true, budget(90)), true);
    assert.equal(fixable(true, budget(30)), false);
    assert.equal(fixable(false, budget(90)), false);
    assert.equal(fixable(true, budget(90), thing("role")), false);
    assert.equal(fixable(true, budget(90), role(90)), true);
    assert.equal(fixable(true, role(90)), true);
    assert.equal(fixable(true, budget(90), role(30)), false);
    assert.equal(fixable(false, role(90)), false);
    assert.equal(fixable(true, role(90), thing("schedule-group")), false);
    assert.equal(fixable(true, budget(90), thing("instance")), false);
    assert.equal(fixable(true, budget(90, { "berth:protect": "true" })), false);
    assert.equal(fixable(true, budget(90, { "berth:run-id": "" })), false);
  });

  it("never lets --fix touch what is protected, runs on, or says not whose it is", () => {
    const kind = fc.constantFrom("instance", "volume", "vpc", "role", "schedule-group", "endpoint");
    const things = fc.array(
      fc.record({
        kind,
        ago: fc.option(fc.integer({ min: -600, max: 600 })),
        protect: fc.boolean(),
        runId: fc.constantFrom("", "0123456789ab", "ba9876543210"),
      }),
    );
    fc.assert(
      fc.property(things, (given) => {
        const made = given.map(({ kind: of, ago, protect, runId }) =>
          thing(of, {
            "berth:protect": String(protect),
            "berth:run-id": runId,
            ...(ago === null ? {} : { "berth:expires-at": deadline(ago) }),
          }),
        );
        for (const run of auditRuns(made, now).filter((each) => isFixable(each, now))) {
          assert.notEqual(run.runId, "");
          const paid = run.things.filter(({ kind: of }) => /instance|volume|endpoint/.test(of));
          assert.ok(paid.every(({ tags }) => tags["berth:protect"] === "false"));
          assert.ok(run.things.every(({ tags }) => (tags["berth:expires-at"] ?? "") < deadline(0)));
        }
      }),
    );
  });
});
