import assert from "node:assert/strict";
import { UserError } from "../../../components/user-error.ts";
import { teardownDue } from "../../../scripts/teardown/teardown-due.ts";

describe("teardownDue", () => {
  const facts = {
    expiresAt: "2026-11-25T18:00:00Z",
    officeHours: "Mon-Fri 08:00-19:00 Europe/Berlin",
  };
  const both = { ifOver: true, ifClosed: true };
  const ask = (conditions: object, now: string, change: object = {}) =>
    teardownDue(
      { ifOver: false, ifClosed: false, ...conditions },
      { ...facts, ...change },
      new Date(now),
    );

  it("is always due when nothing is asked for", () => {
    assert.equal(ask({}, "2026-11-25T12:00:00Z").due, true);
  });

  it("waits for the lease, and for no lease for ever", () => {
    const over = { ifOver: true };
    assert.deepEqual(ask(over, "2026-11-25T17:59:59Z").why, "ends at 2026-11-25T18:00:00Z");
    assert.equal(ask(over, "2026-11-25T18:00:00Z").due, true);
    assert.deepEqual(ask(over, "2027-01-01T00:00:00Z", { expiresAt: "" }).why, "has no lease");
  });

  it("follows the clock's changes: 19:00 in Berlin is 18:00 UTC in winter, 17:00 in summer", () => {
    const closed = { ifClosed: true };
    assert.equal(ask(closed, "2026-11-25T17:30:00Z").due, false);
    assert.equal(ask(closed, "2026-11-25T18:00:00Z").due, true);
    assert.equal(ask(closed, "2026-07-15T17:30:00Z").due, true);
    assert.equal(ask(closed, "2026-11-29T12:00:00Z").due, true, "a Sunday");
  });

  it("takes either of both, and says what speaks against both", () => {
    assert.equal(ask(both, "2026-11-25T18:30:00Z", { expiresAt: "" }).due, true);
    assert.equal(
      ask(both, "2026-11-25T12:00:00Z", { expiresAt: "2026-11-25T11:00:00Z" }).due,
      true,
    );
    const { due, why } = ask(both, "2026-11-25T12:00:00Z", { officeHours: undefined });
    assert.deepEqual([due, why], [false, "ends at 2026-11-25T18:00:00Z, and has no office hours"]);
  });

  it("does not take down what it cannot read the hours of", () => {
    const now = "2026-11-25T12:00:00Z";
    assert.throws(() => ask(both, now, { officeHours: "always" }), UserError);
  });
});
