/** A schedule expression that EventBridge Scheduler refuses, or that the emulation does not know. */
export class ExpressionError extends Error {
  override readonly name: string = "ExpressionError";
}

/** When a schedule fires. */
export interface Timetable {
  readonly kind: "at" | "rate" | "cron";
  /** The first time after `after`; none when there is no more. `origin` is its start date, or when the schedule was made. */
  next(after: Date, origin: Date): Date | undefined;
}

interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** What a clock on the wall of the time zone shows. */
function localTime(instant: Date, timeZone: string): LocalTime {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(instant);
  const value = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return {
    year: value("year"),
    month: value("month"),
    day: value("day"),
    hour: value("hour"),
    minute: value("minute"),
    second: value("second"),
  };
}

function asUtc(time: LocalTime): number {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
}

/** The instant at which the time zone's clock shows this time. */
function instantOf(time: LocalTime, timeZone: string): Date {
  const guess = asUtc(time);
  // Twice, since the offset may differ between the guess and the answer.
  const first = guess - (asUtc(localTime(new Date(guess), timeZone)) - guess);
  return new Date(guess - (asUtc(localTime(new Date(first), timeZone)) - first));
}

const unitSeconds: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };
const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** The values of one field of a cron expression; none where any value fits. */
function field(
  text: string,
  low: number,
  high: number,
  names: readonly string[] = [],
): Set<number> | undefined {
  if (text === "*" || text === "?") return undefined;
  const number = (word: string): number => {
    const named = names.indexOf(word.toUpperCase());
    const value = named >= 0 ? named + low : Number(word);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new ExpressionError(
        `"${text}" is not a field of ${low} to ${high}; L, W and # are not emulated`,
      );
    }
    return value;
  };
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [range = "", step] = item.split("/");
    const [from = "", to] = range.split("-");
    const start = from === "*" ? low : number(from);
    const end = to !== undefined ? number(to) : step !== undefined ? high : start;
    const by = step === undefined ? 1 : Number(step);
    if (!(by >= 1))
      throw new ExpressionError(`"${text}" has a step that is not a number from 1 up`);
    for (let value = start; value <= end; value += by) values.add(value);
  }
  return values;
}

function cron(text: string, timeZone: string): Timetable {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6)
    throw new ExpressionError(
      "cron() takes six fields: minutes hours day-of-month month day-of-week year",
    );
  const [minute = "", hour = "", monthDay = "", month = "", weekDay = "", year = ""] = fields;
  if (monthDay !== "?" && weekDay !== "?") {
    throw new ExpressionError("of day-of-month and day-of-week one has to be ?");
  }
  const minutes = field(minute, 0, 59);
  const hours = field(hour, 0, 23);
  const monthDays = field(monthDay, 1, 31);
  const monthSet = field(month, 1, 12, months);
  const weekDays = field(weekDay, 1, 7, days);
  const years = field(year, 1970, 2199);
  const fits = (set: Set<number> | undefined, value: number): boolean => set?.has(value) ?? true;
  const ascending = (set: Set<number> | undefined, high: number): number[] =>
    set === undefined
      ? Array.from({ length: high + 1 }, (_, index) => index)
      : [...set].toSorted((a, b) => a - b);
  return {
    kind: "cron",
    next: (after) => {
      const today = localTime(after, timeZone);
      for (let offset = 0; offset < 366 * 5; offset += 1) {
        const date = new Date(Date.UTC(today.year, today.month - 1, today.day + offset));
        const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
        const dayFits = fits(monthDays, d) && fits(weekDays, date.getUTCDay() + 1);
        if (!dayFits || !fits(monthSet, m) || !fits(years, y)) continue;
        for (const h of ascending(hours, 23)) {
          for (const mi of ascending(minutes, 59)) {
            const time = { year: y, month: m, day: d, hour: h, minute: mi, second: 0 };
            const instant = instantOf(time, timeZone);
            if (instant > after) return instant;
          }
        }
      }
      return undefined;
    },
  };
}

function at(text: string, timeZone: string): Timetable {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text);
  if (found === null)
    throw new ExpressionError("at() takes yyyy-mm-ddThh:mm:ss, without a time zone");
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map(Number);
  const time = { year, month, day, hour, minute, second };
  const same = new Date(asUtc(time)).toISOString().slice(0, 19) === text;
  if (!same) throw new ExpressionError(`${text} is not a date and time`);
  const instant = instantOf(time, timeZone);
  return { kind: "at", next: (after) => (instant > after ? instant : undefined) };
}

function rate(text: string): Timetable {
  const [, count, unit] = /^\s*([1-9]\d*)\s+(minute|hour|day)s?\s*$/.exec(text) ?? [];
  if (count === undefined || unit === undefined)
    throw new ExpressionError("rate() takes a number and minutes, hours or days");
  const period = Number(count) * (unitSeconds[unit] ?? 60) * 1000;
  return {
    kind: "rate",
    next: (after, origin) => {
      const periods = Math.floor((after.getTime() - origin.getTime()) / period) + 1;
      return new Date(origin.getTime() + Math.max(0, periods) * period);
    },
  };
}

/**
 * Reads `at(...)`, `rate(...)` or `cron(...)`.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * @throws {ExpressionError} when it is none of them.
 */
export function parseExpression(expression: string, timeZone: string): Timetable {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone });
  } catch {
    throw new ExpressionError(`there is no time zone ${timeZone}`);
  }
  const [, kind, text] = /^(at|rate|cron)\((.*)\)$/.exec(expression) ?? [];
  if (text === undefined)
    throw new ExpressionError("it is none of at(...), rate(...) and cron(...)");
  if (kind === "at") return at(text, timeZone);
  return kind === "rate" ? rate(text) : cron(text, timeZone);
}
