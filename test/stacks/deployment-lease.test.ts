import assert from "node:assert/strict";
import { UserError } from "../../components/user-error.ts";
import {
  checkedAge,
  checkedEnd,
  checkedRegion,
  hasEnd,
  makeLease,
} from "../../stacks/deployment-lease.ts";
import { underMocks, valueOf } from "../support/mocks.ts";

const now = new Date("2026-11-24T12:00:00Z");
const later = "2026-11-24T16:00:00Z";
const runId = "0123456789ab";

describe("makeLease", () => {
  for (const [what, settings, expiresAt, ignored] of [
    [
      "so many hours",
      { leaseHours: 4, expiresAt: undefined },
      later,
      ["startedAt", "runId", "region", "expiresAt"],
    ],
    [
      "no end",
      { leaseHours: undefined, expiresAt: undefined },
      "",
      ["startedAt", "runId", "region", "expiresAt"],
    ],
    [
      "an end that is set",
      { leaseHours: 1, expiresAt: later },
      later,
      ["startedAt", "runId", "region"],
    ],
    [
      "an end that is taken away",
      { leaseHours: 1, expiresAt: "none" },
      "",
      ["startedAt", "runId", "region"],
    ],
  ] as const) {
    it(`is made with ${what}`, async () => {
      const { named, result } = await underMocks(() =>
        makeLease(
          "lease",
          { ...settings, owner: "alice", maxAgeHours: 72, region: "eu-west-1" },
          { now, runId },
        ),
      );
      const { inputs, ignoreChanges } = named("lease");
      assert.deepEqual(inputs, {
        startedAt: "2026-11-24T12:00:00Z",
        expiresAt,
        owner: "alice",
        runId,
        region: "eu-west-1",
      });
      assert.deepEqual(ignoreChanges, ignored);
      assert.equal(await valueOf(result.expiresAt), expiresAt);
    });
  }

  it("refuses an end that has passed", async () => {
    const settings = {
      leaseHours: 4,
      expiresAt: "2026-11-24T11:00:00Z",
      owner: "alice",
      maxAgeHours: 72,
    };
    await assert.rejects(
      underMocks(() => makeLease("lease", settings, { now, runId })),
      UserError,
    );
  });
});

describe("checkedEnd", () => {
  const fourHours = { leaseHours: 4, expiresAt: undefined };
  const none = { leaseHours: undefined, expiresAt: undefined };

  it("is the end that was kept", () => {
    assert.equal(checkedEnd(later, fourHours, now), later);
    assert.equal(checkedEnd("", none, now), "");
  });

  it("refuses to go on when the lease is over", () => {
    assert.throws(() => checkedEnd(later, fourHours, new Date(later)), /ended at/);
  });

  it("refuses hours that contradict the lease, which would leave a host without its schedule", () => {
    assert.throws(() => checkedEnd(later, none, now), /its end at/);
    assert.throws(() => checkedEnd("", fourHours, now), /no end/);
  });
});

describe("checkedRegion", () => {
  it("lets no deployment move while it stands, and one that kept no region go on", () => {
    checkedRegion("eu-west-1", "eu-west-1");
    checkedRegion(undefined, "eu-west-1");
    assert.throws(
      () => {
        checkedRegion("eu-west-1", "us-east-1");
      },
      (error) => error instanceof UserError && (error.hint ?? "").includes("back to eu-west-1"),
    );
  });
});

describe("hasEnd", () => {
  it("lets the explicit end win", () => {
    assert.equal(hasEnd({ leaseHours: 4, expiresAt: "none" }), false);
    assert.equal(hasEnd({ leaseHours: undefined, expiresAt: later }), true);
  });
});

describe("checkedAge", () => {
  it("lets no lease get older than is allowed", () => {
    const start = "2026-11-24T12:00:00Z";
    assert.equal(checkedAge(later, start, { maxAgeHours: 4 }), later);
    assert.equal(checkedAge("", start, { maxAgeHours: 4 }), "");
    assert.throws(() => checkedAge(later, start, { maxAgeHours: 3 }), /3 are allowed/);
  });
});

describe("office hours", () => {
  const settings = {
    leaseHours: 8,
    expiresAt: undefined,
    owner: "alice",
    maxAgeHours: 72,
    officeHours: "Mon-Fri 08:00-14:00 UTC",
  };

  it("end a lease that begins in them", async () => {
    const { named } = await underMocks(() => makeLease("lease", settings, { now, runId }));
    assert.equal(named("lease").inputs["expiresAt"], "2026-11-24T14:00:00Z");
  });

  it("let no lease begin outside of them, and one that is there go on", async () => {
    const night = new Date("2026-11-24T22:00:00Z");
    await assert.rejects(
      underMocks(async () => {
        const { expiresAt } = makeLease("lease", settings, { now: night, runId });
        return valueOf(expiresAt);
      }),
      /outside of office hours/,
    );
  });
});
