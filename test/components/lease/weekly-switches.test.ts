import assert from "node:assert/strict";
import fc from "fast-check";
import {
  nextClosing,
  openHours,
  parseOfficeHours,
} from "../../../components/lease/office-hours.ts";
import { weeklySwitches } from "../../../components/lease/weekly-switches.ts";

describe("weeklySwitches", () => {
  it("makes one expression for each time of day, in the hours' own time zone", () => {
    assert.deepEqual(weeklySwitches("Mon-Fri 08:00-19:30 Europe/Berlin"), {
      timeZone: "Europe/Berlin",
      starts: ["cron(0 8 ? * MON,TUE,WED,THU,FRI *)"],
      stops: ["cron(30 19 ? * MON,TUE,WED,THU,FRI *)"],
      hoursAWeek: 57.5,
    });
  });

  it("puts windows that touch or overlap together, over midnight and the week's end too", () => {
    const { starts, stops, hoursAWeek } = weeklySwitches(
      "Sat 20:00-24:00, Sun 00:00-02:00, Mon 09:00-12:00, Mon 11:00-15:00 UTC",
    );
    assert.deepEqual(starts, ["cron(0 9 ? * MON *)", "cron(0 20 ? * SAT *)"]);
    assert.deepEqual(stops, ["cron(0 2 ? * SUN *)", "cron(0 15 ? * MON *)"]);
    assert.equal(hoursAWeek, 12);
  });

  it("does not switch off and on again between windows that touch on one day", () => {
    const { starts, stops } = weeklySwitches("Mon 09:00-12:00, Mon 12:00-15:00 UTC");
    assert.deepEqual(starts, ["cron(0 9 ? * MON *)"]);
    assert.deepEqual(stops, ["cron(0 15 ? * MON *)"]);
  });

  it("refuses the whole week", () => {
    assert.throws(() => weeklySwitches("Sun-Sat 00:00-24:00 UTC"), /are the whole week/);
  });
});

describe("openHours", () => {
  const hours = parseOfficeHours("Mon-Fri 08:00-19:00, Mon 10:00-12:00 Europe/Berlin");

  it("counts what lies in the windows, once", () => {
    const monday = new Date("2026-11-23T00:00:00Z");
    assert.equal(openHours(hours, monday, new Date("2026-11-30T00:00:00Z")), 55);
    assert.equal(openHours(hours, monday, new Date("2026-11-23T09:00:00Z")), 2);
    assert.equal(openHours(hours, monday, monday), 0);
  });

  it("adds up over any cut", () => {
    const start = Date.parse("2026-10-20T00:00:00Z");
    const minutes = fc.integer({ min: 0, max: 20 * 1440 });
    fc.assert(
      fc.property(minutes, minutes, (one, other) => {
        const [from, cut, until] = [0, Math.min(one, other), Math.max(one, other)].map(
          (each) => new Date(start + each * 60_000),
        );
        const whole = openHours(hours, from!, until!);
        const parts = openHours(hours, from!, cut!) + openHours(hours, cut!, until!);
        assert.ok(Math.abs(whole - parts) < 1e-6);
      }),
      { numRuns: 50 },
    );
  });

  it("says when the open window closes, or the next one", () => {
    const at = (now: string) => nextClosing(hours, new Date(now))?.toISOString();
    assert.equal(at("2026-11-23T09:30:00Z"), "2026-11-23T18:00:00.000Z");
    assert.equal(at("2026-11-28T09:30:00Z"), "2026-11-30T18:00:00.000Z");
    const chain = parseOfficeHours("Mon 08:00-12:00, Mon 11:00-15:00, Mon 15:00-17:00 UTC");
    const end = nextClosing(chain, new Date("2026-11-23T09:00:00Z"));
    assert.equal(end?.toISOString(), "2026-11-23T17:00:00.000Z", "windows that touch are one");
  });
});
