import { UserError } from "../user-error.ts";
import { parseOfficeHours, type OfficeHours } from "./office-hours.ts";

const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;
const cronDays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** When something that keeps weekly hours is switched on and off, as expressions of EventBridge Scheduler in their time zone. */
export interface WeeklySwitches {
  readonly timeZone: string;
  readonly starts: readonly string[];
  readonly stops: readonly string[];
  /** Hours of the week in which it runs. */
  readonly hoursAWeek: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The windows as minutes of a week, those that touch or overlap put together, over the week's end too. */
function spansOf({ windows }: OfficeHours): readonly Span[] {
  const sorted = windows
    .map(({ day, from, to }) => ({ from: day * dayMinutes + from, to: day * dayMinutes + to }))
    .toSorted((a, b) => a.from - b.from);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged.at(-1);
    if (last === undefined || span.from > last.to) merged.push(span);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  const [first, last] = [merged[0], merged.at(-1)];
  if (merged.length < 2 || first?.from !== 0 || last?.to !== weekMinutes) return merged;
  return [...merged.slice(1, -1), { from: last.from, to: weekMinutes + first.to }];
}

/** One expression for each time of day, with all of its days. */
function cronExpressions(minutesOfWeek: readonly number[]): readonly string[] {
  const days = new Map<number, Set<number>>();
  for (const minutes of minutesOfWeek) {
    const inWeek = minutes % weekMinutes;
    const time = inWeek % dayMinutes;
    days.set(time, (days.get(time) ?? new Set()).add(Math.floor(inWeek / dayMinutes)));
  }
  return [...days]
    .toSorted(([one], [other]) => one - other)
    .map(([time, on]) => {
      const names = [...on].toSorted((a, b) => a - b).map((day) => cronDays[day]);
      return `cron(${time % 60} ${Math.floor(time / 60)} ? * ${names.join(",")} *)`;
    });
}

/**
 * The switches of weekly hours such as `Mon-Fri 08:00-19:00 Europe/Berlin`; pure.
 *
 * @throws UserError when they cannot be read, or leave no time to be off
 */
export function weeklySwitches(text: string): WeeklySwitches {
  const hours = parseOfficeHours(text);
  const spans = spansOf(hours);
  const open = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  if (open >= weekMinutes) {
    throw new UserError(`The hours "${text}" are the whole week.`, {
      hint: "Leave them out: without them it runs all the time.",
    });
  }
  return {
    timeZone: hours.timeZone,
    starts: cronExpressions(spans.map(({ from }) => from)),
    stops: cronExpressions(spans.map(({ to }) => to)),
    hoursAWeek: open / 60,
  };
}
