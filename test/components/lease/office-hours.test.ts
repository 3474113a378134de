import assert from "node:assert/strict";
import fc from "fast-check";
import {
  endWithin,
  nextOpening,
  openWindow,
  parseOfficeHours,
} from "../../../components/lease/office-hours.ts";
import { UserError } from "../../../components/user-error.ts";

const berlin = parseOfficeHours("Mon-Fri 08:00-19:00 Europe/Berlin");
const iso = (date: Date | undefined) => date?.toISOString().slice(0, 16);

/** What a clock in the zone shows: weekday and time. */
function wallClock(date: Date, timeZone: string): string {
  const options = {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  } as const;
  return new Intl.DateTimeFormat("en-US", { ...options, timeZone }).format(date).replace(", ", " ");
}

describe("parseOfficeHours", () => {
  it("reads several windows, and weeks that begin anywhere", () => {
    const { windows } = parseOfficeHours("Fri-Mon 08:00-10:00, Wed 12:30-24:00 UTC");
    assert.deepEqual(
      windows.map(({ day, from, to }) => [day, from, to]),
      [
        [5, 480, 600],
        [6, 480, 600],
        [0, 480, 600],
        [1, 480, 600],
        [3, 750, 1440],
      ],
    );
  });

  for (const text of [
    "",
    "Mon-Fri 08:00-19:00",
    "Mon-Fri 08:00-19:00 Europe/Atlantis",
    "Mon-Fri 19:00-08:00 UTC",
    "Mon-Fri 8-19 UTC",
    "Weekdays 08:00-19:00 UTC",
    "Mon 08:00-25:00 UTC",
    "Mon 08:00-09:60 UTC",
  ]) {
    it(`refuses "${text}"`, () => {
      assert.throws(() => parseOfficeHours(text), UserError);
    });
  }
});

describe("office hours", () => {
  it("is open from its first minute on, and closed at its last", () => {
    const [opens, closes] = [new Date("2026-01-14T07:00:00Z"), new Date("2026-01-14T18:00:00Z")];
    assert.equal(iso(openWindow(berlin, opens)?.closes), "2026-01-14T18:00");
    assert.equal(openWindow(berlin, closes), undefined);
    assert.equal(iso(nextOpening(berlin, opens)), "2026-01-15T07:00");
  });

  it("follow the clock of their zone, in winter and in summer", () => {
    const winter = openWindow(berlin, new Date("2026-01-14T12:00:00Z"));
    assert.deepEqual(
      [iso(winter?.opens), iso(winter?.closes)],
      ["2026-01-14T07:00", "2026-01-14T18:00"],
    );
    const summer = openWindow(berlin, new Date("2026-07-15T12:00:00Z"));
    assert.deepEqual(
      [iso(summer?.opens), iso(summer?.closes)],
      ["2026-07-15T06:00", "2026-07-15T17:00"],
    );
  });

  it("are shut at night and on weekends, and open again on Monday", () => {
    const friday = new Date("2026-03-27T20:00:00Z");
    assert.equal(openWindow(berlin, friday), undefined);
    // The clocks change on the Sunday between.
    assert.equal(iso(nextOpening(berlin, friday)), "2026-03-30T06:00");
  });

  it("take a time that the change of the clock skips as if it had not changed yet, and of two the first", () => {
    const early = parseOfficeHours("Sun 02:30-05:00 Europe/Berlin");
    const spring = openWindow(early, new Date("2026-03-29T02:00:00Z"));
    assert.deepEqual(
      [iso(spring?.opens), iso(spring?.closes)],
      ["2026-03-29T01:30", "2026-03-29T03:00"],
    );
    const autumn = openWindow(early, new Date("2026-10-25T01:00:00Z"));
    assert.deepEqual(
      [iso(autumn?.opens), iso(autumn?.closes)],
      ["2026-10-25T00:30", "2026-10-25T04:00"],
    );
  });

  it("open and close at the asked time of the wall clock, over every change of it", () => {
    const zones = [
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "UTC",
    ];
    const instant = fc.date({
      min: new Date("2026-01-01"),
      max: new Date("2028-01-01"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, now) => {
        const hours = parseOfficeHours(`Mon-Fri 08:15-19:45 ${zone}`);
        const open = openWindow(hours, now);
        const [day = "", time = ""] = wallClock(now, zone).split(" ");
        const inside = !["Sat", "Sun"].includes(day) && time >= "08:15" && time < "19:45";
        assert.equal(open !== undefined, inside);
        const next = nextOpening(hours, now)!;
        assert.ok(next > now && next.getTime() - now.getTime() <= 4 * 86_400_000);
        for (const opening of [next, ...(open === undefined ? [] : [open.opens])]) {
          assert.match(wallClock(opening, zone), /^(Mon|Tue|Wed|Thu|Fri) 08:15$/);
        }
        if (open !== undefined) assert.equal(wallClock(open.closes, zone), `${day} 19:45`);
      }),
      { numRuns: 300 },
    );
  });
});

describe("endWithin", () => {
  const noon = new Date("2026-01-14T12:00:00Z");

  it("is what comes first, the lease's end or the window's", () => {
    assert.equal(
      iso(endWithin(berlin, noon, new Date("2026-01-14T14:00:00Z"))),
      "2026-01-14T14:00",
    );
    assert.equal(
      iso(endWithin(berlin, noon, new Date("2026-01-15T14:00:00Z"))),
      "2026-01-14T18:00",
    );
    assert.equal(iso(endWithin(berlin, noon, undefined)), "2026-01-14T18:00");
  });

  it("says when they begin again", () => {
    assert.throws(
      () => endWithin(berlin, new Date("2026-01-16T20:00:00Z"), undefined),
      /begin again at 2026-01-19T07:00/,
    );
  });
});
