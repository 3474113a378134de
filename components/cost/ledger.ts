import type { Interval, RunRecord, Usage, UsageKind } from "./usage.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Least time that Linux instances are billed for, a start: https://aws.amazon.com/ec2/pricing/on-demand/ */
const leastInstanceMs = 60_000;

/** One line of the ledger: what one kind of thing of one run cost on one day (UTC). */
export interface LedgerLine {
  readonly runId: string;
  readonly stack: string;
  readonly env: string;
  readonly owner: string;
  readonly model: string;
  readonly region: string;
  /** `2026-11-24`. */
  readonly day: string;
  readonly kind: UsageKind;
  readonly resourceId: string;
  readonly type: string;
  /** Unit-hours that were paid; 0 for what is paid once. */
  readonly unitHours: number;
  readonly usd: number;
}

/** A stretch of time in milliseconds since 1970. */
type Stretch = readonly [from: number, to: number];

function stretchOf({ from, to }: Interval, now: number): Stretch {
  return [Date.parse(from), Math.min(to === undefined ? now : Date.parse(to), now)];
}

/** The parts of a stretch that are in none of the others. */
function without(whole: Stretch, holes: readonly Stretch[]): readonly Stretch[] {
  const parts: Stretch[] = [];
  let [from] = whole;
  const [, to] = whole;
  for (const [start, end] of holes.toSorted(([a], [b]) => a - b)) {
    if (start > from) parts.push([from, Math.min(start, to)]);
    from = Math.max(from, end);
  }
  parts.push([from, to]);
  return parts.filter(([start, end]) => end > start);
}

/** A stretch, and how many units were paid for in it. */
interface Paid {
  readonly stretch: Stretch;
  readonly units: number;
}

/** When it was paid for, and how much of it. */
function paidStretches(usage: Usage, now: number): readonly Paid[] {
  const { kind, span, units, measured, stopped = [] } = usage;
  if (measured !== undefined) {
    return measured
      .map((each) => ({ stretch: stretchOf(each, now), units: each.units }))
      .filter(({ stretch: [from, to] }) => to > from);
  }
  const whole = stretchOf(span, now);
  const running = without(
    whole,
    // A volume goes on while its instance stands still.
    kind === "volume" ? [] : stopped.map((interval) => stretchOf(interval, now)),
  );
  return running.map(([from, to]) => {
    const least = kind === "instance" && to < now ? from + leastInstanceMs : from;
    return { stretch: [from, Math.max(to, least)], units };
  });
}

interface Piece extends Paid {
  readonly hourlyUsd: number;
}

/** The stretches of one price each, by day. */
function* pieces(usage: Usage, now: number): Generator<Piece> {
  for (const { stretch, units } of paidStretches(usage, now)) {
    const [from, to] = stretch;
    for (const [index, { from: begins, hourlyUsd }] of usage.prices.entries()) {
      const next = usage.prices[index + 1]?.from;
      const start = Math.max(from, index === 0 ? from : Date.parse(begins));
      const end = Math.min(to, next === undefined ? to : Date.parse(next));
      for (let at = start; at < end;) {
        const midnight = (Math.floor(at / dayMs) + 1) * dayMs;
        const until = Math.min(end, midnight);
        yield { stretch: [at, until], units, hourlyUsd };
        at = until;
      }
    }
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

type Part = Pick<LedgerLine, "day" | "kind" | "resourceId" | "type" | "unitHours" | "usd">;

function partsOf(usage: Usage, now: number): readonly Part[] {
  const byDay = new Map<string, Part>();
  const { kind, resourceId, type } = usage;
  for (const { stretch, units, hourlyUsd } of pieces(usage, now)) {
    const [from, to] = stretch;
    const day = dayOf(from);
    const hours = ((to - from) / hourMs) * units;
    const before = byDay.get(day);
    byDay.set(day, {
      day,
      kind,
      resourceId,
      type,
      unitHours: (before?.unitHours ?? 0) + hours,
      usd: (before?.usd ?? 0) + hours * hourlyUsd,
    });
  }
  return [...byDay.values()];
}

/**
 * What runs have cost until now, a line for each day and thing, by the prices that were recorded when they were launched.
 * Pure; an estimate, since taxes, credits and savings plans are the bill's.
 */
export function ledgerOf(runs: readonly RunRecord[], now: Date): readonly LedgerLine[] {
  return runs.flatMap(({ usages, charges, ...run }) => {
    const { runId, stack, env, owner, model, region } = run;
    const known = { runId, stack, env, owner, model, region };
    const paid = usages.flatMap((usage) =>
      partsOf(usage, now.getTime()).map((part) => ({ ...part, model: usage.model ?? model })),
    );
    const once = charges
      .filter(({ at }) => Date.parse(at) <= now.getTime())
      .map(({ kind, at, what, usd }) => {
        const day = dayOf(Date.parse(at));
        return { day, kind, resourceId: what, type: what, unitHours: 0, usd };
      });
    return [...paid, ...once].map((part) => ({ ...known, ...part }));
  });
}

/** By what a ledger can be summed. */
export const groupings = ["env", "owner", "model", "day", "stack", "kind", "runId"] as const;

/** One of them. */
export type Grouping = (typeof groupings)[number];

/** Sums of a ledger, USD, the largest first; days in their order. */
export function sumBy(
  lines: readonly LedgerLine[],
  by: Grouping,
): readonly { readonly name: string; readonly usd: number }[] {
  const sums = new Map<string, number>();
  for (const line of lines) sums.set(line[by], (sums.get(line[by]) ?? 0) + line.usd);
  const rows = [...sums].map(([name, usd]) => ({ name, usd }));
  return by === "day"
    ? rows.toSorted((a, b) => a.name.localeCompare(b.name))
    : rows.toSorted((a, b) => b.usd - a.usd);
}

/** The whole of a ledger, USD. */
export function totalUsd(lines: readonly LedgerLine[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}
