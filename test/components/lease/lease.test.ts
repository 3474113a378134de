import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hoursLeft,
  hoursSince,
  longestLeaseHours,
  newLease,
  parseDeadline,
  timestamp,
} from "../../../components/lease/lease.ts";
import { UserError } from "../../../components/user-error.ts";

const now = new Date("2026-11-24T12:00:00Z");

describe("newLease", () => {
  it("ends so many hours after it begins", () => {
    const { expiresAt } = newLease(now, 4);
    assert.equal(timestamp(expiresAt!), "2026-11-24T16:00:00Z");
  });

  it("has no end without hours", () => {
    assert.equal(newLease(now, undefined).expiresAt, undefined);
  });

  it("crosses days and years", () => {
    const { expiresAt } = newLease(new Date("2026-12-31T23:30:00Z"), 1);
    assert.equal(timestamp(expiresAt!), "2027-01-01T00:30:00Z");
  });
});

describe("parseDeadline", () => {
  it("takes a time with an offset", () => {
    const deadline = parseDeadline("2026-11-24T18:00:00+02:00", now);
    assert.equal(timestamp(deadline), "2026-11-24T16:00:00Z");
  });

  for (const [text, why] of [
    ["tomorrow", /is not a time/],
    ["2026-11-24", /is not a time/],
    ["2026-11-24T12:00:00Z", /has passed/],
    ["2026-11-24T11:59:59Z", /has passed/],
    ["2027-11-24T12:00:00Z", /longest lease/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(
        () => parseDeadline(text, now),
        (error) =>
          error instanceof UserError && why.test(error.message) && error.hint !== undefined,
      );
    });
  }

  it("takes the longest lease, and not a second more", () => {
    assert.equal(timestamp(parseDeadline("2026-12-24T12:00:00Z", now)), "2026-12-24T12:00:00Z");
    assert.throws(() => parseDeadline("2026-12-24T12:00:01Z", now), /longest lease is 720/);
  });

  it("takes every deadline within the longest lease", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: longestLeaseHours * 3600 }), (seconds) => {
        const wanted = new Date(now.getTime() + seconds * 1000);
        return parseDeadline(timestamp(wanted), now).getTime() === wanted.getTime();
      }),
    );
  });
});

describe("hoursLeft and hoursSince", () => {
  const lease = newLease(now, 4);

  it("counts down to the end and below", () => {
    assert.equal(hoursLeft(lease, new Date("2026-11-24T13:30:00Z")), 2.5);
    assert.equal(hoursLeft(lease, new Date("2026-11-24T17:00:00Z")), -1);
    assert.equal(hoursLeft(newLease(now, undefined), now), undefined);
  });

  it("is never negative since the start", () => {
    assert.equal(hoursSince(now, new Date("2026-11-24T13:30:00Z")), 1.5);
    assert.equal(hoursSince(now, new Date("2026-11-24T11:00:00Z")), 0);
  });
});
