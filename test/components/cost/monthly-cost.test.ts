import assert from "node:assert/strict";
import { monthlyCost } from "../../../components/cost/monthly-cost.ts";
import { parseOfficeHours } from "../../../components/lease/office-hours.ts";

describe("monthlyCost", () => {
  it("counts a whole month without an end, and one lease with one", () => {
    assert.deepEqual(monthlyCost(2, { leaseHours: undefined }), {
      hours: 730,
      usd: 1460,
      basis: "always",
    });
    assert.deepEqual(monthlyCost(2, { leaseHours: 4 }), { hours: 4, usd: 8, basis: "one-lease" });
  });

  it("counts every window of office hours, no longer than a lease, and what overlaps once", () => {
    const week = (text: string, leaseHours?: number) =>
      (monthlyCost(1, { leaseHours, officeHours: parseOfficeHours(`${text} UTC`) }).usd * 168) /
      730;
    const near = (actual: number, expected: number) => {
      assert.ok(Math.abs(actual - expected) < 0.001, `${actual} is not ${expected}`);
    };
    near(week("Mon-Fri 08:00-19:00"), 55);
    near(week("Mon-Fri 08:00-19:00", 4), 20);
    near(week("Mon-Fri 08:00-12:00, Mon 11:00-14:00, Fri 13:00-15:00"), 20 + 2 + 2);
    near(week("Mon-Sun 00:00-24:00"), 168);
  });
});
