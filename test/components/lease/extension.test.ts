import assert from "node:assert/strict";
import fc from "fast-check";
import { extendedEnd, parseHours } from "../../../components/lease/extension.ts";
import { newLease, timestamp } from "../../../components/lease/lease.ts";
import { UserError } from "../../../components/user-error.ts";

const start = new Date("2026-11-24T12:00:00Z");
const at = (hours: number) => new Date(start.getTime() + hours * 3_600_000);

describe("parseHours", () => {
  for (const [text, hours] of [
    ["4h", 4],
    ["4", 4],
    ["90m", 1.5],
    ["2d", 48],
    ["1h30m", 1.5],
    ["1d12h", 36],
    ["0.5h", 0.5],
  ] as const) {
    it(`reads ${text}`, () => {
      assert.equal(parseHours(text), hours);
    });
  }

  for (const text of ["", "0h", "-4h", "h", "4 hours", "4h4h", "tomorrow", "1e3"]) {
    it(`refuses "${text}"`, () => {
      assert.throws(() => parseHours(text), UserError);
    });
  }
});

describe("extendedEnd", () => {
  const lease = newLease(start, 4);

  it("counts from the end that is still to come, and from now after it", () => {
    const bounds = { now: at(1), maxAgeHours: 72 };
    assert.equal(timestamp(extendedEnd(lease, 2, bounds)), timestamp(at(6)));
    assert.equal(timestamp(extendedEnd(lease, 2, { ...bounds, now: at(5) })), timestamp(at(7)));
  });

  it("says how much more is allowed when it is too much", () => {
    assert.throws(
      () => extendedEnd(lease, 30, { now: at(1), maxAgeHours: 24 }),
      (error) =>
        error instanceof UserError &&
        error.message.includes("may last 24 h") &&
        (error.hint ?? "").includes("At most 20h more"),
    );
    assert.throws(() => extendedEnd(lease, 1, { now: at(1), maxAgeHours: 4 }), /may last 4 h/);
  });

  it("takes what is allowed to the minute, and reaches no further from now than a lease may", () => {
    const bounds = { now: at(1), maxAgeHours: 24 };
    assert.equal(timestamp(extendedEnd(lease, 20, bounds)), timestamp(at(24)));
    const old = { now: at(1), maxAgeHours: 2160 };
    assert.equal(timestamp(extendedEnd(lease, 717, old)), timestamp(at(721)));
    assert.throws(
      () => extendedEnd(lease, 718, old),
      /No lease reaches further than 720 h from now/,
    );
  });

  it("has nothing to extend without an end", () => {
    const bounds = { now: at(1), maxAgeHours: 24 };
    assert.throws(() => extendedEnd(newLease(start, undefined), 1, bounds), /no end/);
  });

  it("never passes the age, however often it is asked", () => {
    const asked = fc.array(fc.double({ min: 0.01, max: 50, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(asked, fc.integer({ min: 4, max: 300 }), (hours, maxAgeHours) => {
        let current = lease;
        let now = start;
        for (const more of hours) {
          now = new Date(Math.min(now.getTime() + more * 1_800_000, current.expiresAt!.getTime()));
          try {
            current = {
              ...current,
              expiresAt: extendedEnd(current, more, { now, maxAgeHours }),
            };
          } catch (error) {
            assert.ok(error instanceof UserError);
          }
        }
        assert.ok(current.expiresAt! <= at(maxAgeHours));
      }),
    );
  });
});
