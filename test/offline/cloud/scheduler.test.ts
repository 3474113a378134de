import assert from "node:assert/strict";
import * as fc from "fast-check";
import { ExpressionError, parseExpression } from "../../../offline/cloud/scheduler/expression.ts";

const day = 86_400_000;

describe("parseExpression", () => {
  const next = (expression: string, after: string, zone = "UTC", origin = after) =>
    parseExpression(expression, zone).next(new Date(after), new Date(origin))?.toISOString();

  it("reads a one-time schedule in its time zone", () => {
    const before = "2026-07-01T00:00:00Z";
    assert.equal(next("at(2026-07-04T12:00:00)", before), "2026-07-04T12:00:00.000Z");
    assert.equal(
      next("at(2026-07-04T12:00:00)", before, "America/New_York"),
      "2026-07-04T16:00:00.000Z",
    );
    assert.equal(next("at(2026-07-04T12:00:00)", "2026-07-04T12:00:00Z"), undefined);
  });

  it("counts a rate from when the schedule was made", () => {
    const origin = "2026-01-01T00:07:00Z";
    assert.equal(
      next("rate(15 minutes)", "2026-01-01T01:00:00Z", "UTC", origin),
      "2026-01-01T01:07:00.000Z",
    );
    assert.equal(next("rate(1 day)", origin, "UTC", origin), "2026-01-02T00:07:00.000Z");
    const justBefore = new Date(Date.parse(origin) - 1).toISOString();
    assert.equal(next("rate(1 day)", justBefore, "UTC", origin), "2026-01-01T00:07:00.000Z");
  });

  it("reads cron fields: steps, lists, names and days of the week", () => {
    const friday = "2026-11-20T18:00:00Z";
    assert.equal(next("cron(0/15 * * * ? *)", friday), "2026-11-20T18:15:00.000Z");
    assert.equal(next("cron(0 9 ? * MON-FRI *)", friday), "2026-11-23T09:00:00.000Z");
    assert.equal(next("cron(30 6 1 JAN,JUL ? *)", friday), "2027-01-01T06:30:00.000Z");
    assert.equal(next("cron(0 9 * * ? *)", friday, "Europe/Berlin"), "2026-11-21T08:00:00.000Z");
    assert.equal(next("cron(0 0 1 1 ? 2020)", friday), undefined);
  });

  it("never answers with a time that is not after the one asked for", () => {
    const expressions = ["rate(5 minutes)", "cron(0/7 3,9 * * ? *)", "cron(0 12 ? * SUN *)"];
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true }),
        (expression, after) => {
          const found = parseExpression(expression, "America/Los_Angeles").next(after, after);
          assert.ok(found !== undefined && found > after);
          assert.ok(found.getTime() - after.getTime() <= 8 * day);
        },
      ),
      { numRuns: 50 },
    );
  });

  for (const wrong of [
    "",
    "at(tomorrow)",
    "at(2026-02-30T00:00:00)",
    "at(2026-01-01T00:00:00Z)",
    "rate(0 minutes)",
    "rate(5 seconds)",
    "cron(* * * * * *)",
    "cron(61 * * * ? *)",
    "cron(0 0 L * ? *)",
  ]) {
    it(`refuses "${wrong}"`, () => {
      assert.throws(() => parseExpression(wrong, "UTC"), ExpressionError);
    });
  }
});
