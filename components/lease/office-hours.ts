import { UserError } from "../user-error.ts";

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;
const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** One window of a weekday, in minutes of that day's wall clock. */
interface Window {
  /** 0 is Sunday. */
  readonly day: number;
  readonly from: number;
  /** At most 1440, which is the midnight that ends the day. */
  readonly to: number;
}

/** The weekly hours in which deployments may run. */
export interface OfficeHours {
  /** IANA name: `Europe/Berlin`. */
  readonly timeZone: string;
  readonly windows: readonly Window[];
}

/** A window as instants. */
export interface OpenWindow {
  readonly opens: Date;
  readonly closes: Date;
}

const example = "Mon-Fri 08:00-19:00 Europe/Berlin";

function refuse(text: string, why: string): UserError {
  return new UserError(`The office hours "${text}" ${why}.`, {
    hint: `Write them as: ${example}, with commas between several.`,
  });
}

function daysOf(text: string): readonly number[] {
  const [first = "", last = first] = text.split("-");
  const [from, to] = [days.indexOf(first), days.indexOf(last)];
  if (from < 0 || to < 0) return [];
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (from + index) % 7);
}

function minutesOf(text: string): number {
  const [, hour = "", minute = ""] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  return hour === "" || Number(minute) > 59 || minutes > 1440 ? Number.NaN : minutes;
}

function windowsOf(part: string): readonly Window[] {
  const [, names = "", start = "", end = ""] = /^(\S+) (\S+)-(\S+)$/.exec(part.trim()) ?? [];
  const [from, to] = [minutesOf(start), minutesOf(end)];
  return from < to ? daysOf(names).map((day) => ({ day, from, to })) : [];
}

/**
 * Weekly windows with their time zone: `Mon-Fri 08:00-19:00 Europe/Berlin`, or several with commas between. A window ends on
 * the day that it begins on, at 24:00 at the latest.
 *
 * @throws UserError when it is none of that
 */
export function parseOfficeHours(text: string): OfficeHours {
  const [, list = "", timeZone = ""] =
    /^(.*\S)\s+([A-Za-z_]+(?:\/[A-Za-z_+\-0-9]+)*)$/.exec(text.trim()) ?? [];
  if (timeZone === "") throw refuse(text, "have no time zone");
  try {
    new Intl.DateTimeFormat("en-US", { timeZone });
  } catch {
    throw refuse(text, `are in "${timeZone}", which is no time zone`);
  }
  const parts = list.split(",").map(windowsOf);
  if (parts.some((part) => part.length === 0)) throw refuse(text, "cannot be read");
  return { timeZone, windows: parts.flat() };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the zone's clock is ahead of UTC at an instant, milliseconds. */
function offsetMs(instant: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric" } as const;
    format = new Intl.DateTimeFormat("en-US", {
      ...numeric,
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
      timeZone,
    });
    formats.set(timeZone, format);
  }
  const parts = format.formatToParts(instant);
  const value = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const [year, month, day] = [value("year"), value("month"), value("day")];
  const wall = Date.UTC(year, month - 1, day, value("hour"), value("minute"), value("second"));
  return wall - Math.floor(instant / 1000) * 1000;
}

/**
 * The instant at which the zone's clock shows a time. One that a change of the clock skips is taken as if the clock had not
 * changed yet, and of one that comes twice, the first.
 */
function instantOf(wall: number, timeZone: string): number {
  const before = wall - offsetMs(wall - dayMs, timeZone);
  const after = wall - offsetMs(wall + dayMs, timeZone);
  const shown = [before, after].filter((at) => at + offsetMs(at, timeZone) === wall);
  return shown.length === 0 ? before : Math.min(...shown);
}

/** Windows of the days around an instant, in order of their opening. */
function windowsAround(
  { timeZone, windows }: OfficeHours,
  now: Date,
  ahead: number,
): readonly OpenWindow[] {
  const today = now.getTime() + offsetMs(now.getTime(), timeZone);
  const midnight = Math.floor(today / dayMs) * dayMs;
  const found: OpenWindow[] = [];
  for (let offset = -1; offset <= ahead; offset += 1) {
    const start = midnight + offset * dayMs;
    const weekday = new Date(start).getUTCDay();
    for (const { day, from, to } of windows) {
      if (day !== weekday) continue;
      const at = (minutes: number) => new Date(instantOf(start + minutes * minuteMs, timeZone));
      found.push({ opens: at(from), closes: at(to) });
    }
  }
  return found.toSorted((a, b) => a.opens.getTime() - b.opens.getTime());
}

/** The window that is open now; undefined outside of them. Of several, the one that closes last. */
export function openWindow(hours: OfficeHours, now: Date): OpenWindow | undefined {
  return windowsAround(hours, now, 1)
    .filter(({ opens, closes }) => opens <= now && now < closes)
    .toSorted((a, b) => b.closes.getTime() - a.closes.getTime())[0];
}

/** When the next window opens, after now. */
export function nextOpening(hours: OfficeHours, now: Date): Date | undefined {
  return windowsAround(hours, now, 8).find(({ opens }) => opens > now)?.opens;
}

/** When the window that is open, or the next one, closes; windows that touch or overlap are one. */
export function nextClosing(hours: OfficeHours, now: Date): Date | undefined {
  const opens = openWindow(hours, now) === undefined ? nextOpening(hours, now) : now;
  let end: Date | undefined;
  let open = opens === undefined ? undefined : openWindow(hours, opens);
  for (let left = hours.windows.length; open !== undefined && left >= 0; left -= 1) {
    end = open.closes;
    open = openWindow(hours, end);
  }
  return end;
}

/** Hours between two instants in which a window is open. */
export function openHours(hours: OfficeHours, from: Date, until: Date): number {
  const days = Math.ceil(Math.max(0, until.getTime() - from.getTime()) / dayMs) + 1;
  let reached = from.getTime();
  let sumMs = 0;
  for (const { opens, closes } of windowsAround(hours, from, days)) {
    const begins = Math.max(opens.getTime(), reached);
    const ends = Math.min(closes.getTime(), until.getTime());
    if (ends <= begins) continue;
    sumMs += ends - begins;
    reached = ends;
  }
  return sumMs / 3_600_000;
}

/**
 * The end of a new lease within office hours: that of the lease, or of the window, whichever comes first.
 *
 * @throws UserError outside of office hours, saying when they begin
 */
export function endWithin(hours: OfficeHours, now: Date, end: Date | undefined): Date {
  const open = openWindow(hours, now);
  if (open === undefined) {
    const next = nextOpening(hours, now)?.toISOString() ?? "never";
    throw new UserError(`It is outside of office hours, which begin again at ${next}.`, {
      hint: "Wait, or set berth:expiresAt to an end of your own, which office hours do not move.",
    });
  }
  return end === undefined || open.closes < end ? open.closes : end;
}

/**
 * Hours of a week that are within office hours, each window counted for no longer than a lease; windows of a day that overlap
 * are one.
 *
 * @param longestHours of one lease. @default no limit
 */
export function weeklyOpenHours({ windows }: OfficeHours, longestHours = Infinity): number {
  let minutes = 0;
  for (let day = 0; day < 7; day += 1) {
    let open: { from: number; to: number } | undefined;
    const close = () => {
      if (open !== undefined) minutes += Math.min(open.to - open.from, longestHours * 60);
    };
    const today = windows.filter((each) => each.day === day).toSorted((a, b) => a.from - b.from);
    for (const { from, to } of today) {
      if (open !== undefined && from <= open.to) open.to = Math.max(open.to, to);
      else {
        close();
        open = { from, to };
      }
    }
    close();
  }
  return minutes / 60;
}
