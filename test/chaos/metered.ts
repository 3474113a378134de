import type {
  Measurement,
  PricePoint,
  RunRecord,
  Usage,
  UsageKind,
} from "../../components/cost/usage.ts";
import { owner, stack } from "./deployment-model.ts";
import type { Thing } from "./model-account.ts";

/** A minute of the account's time, RFC 3339. */
export function iso(minute: number): string {
  return `${new Date(Date.UTC(2026, 10, 1) + minute * 60_000).toISOString().slice(0, 19)}Z`;
}

/** What a host's price is multiplied by, as a spot pool's moves by the hour; an endpoint's stays. */
function factor({ kind }: Thing, minute: number): number {
  return kind === "endpoint" ? 1 : 1 + 0.5 * Math.sin(Math.floor(minute / 60));
}

/** What AWS's own meter counts, USD: minute by minute, by the instances that there were. */
export function meter(thing: Thing, now: number): number {
  const { kind, madeAt, endedAt = now, hourlyUsd, counts } = thing;
  let usd = 0;
  for (let minute = madeAt; minute < endedAt; minute += 1) {
    const instances = kind === "endpoint" ? (counts[minute - madeAt] ?? 0) : 1;
    usd += (instances * hourlyUsd * factor(thing, minute)) / 60;
  }
  return usd;
}

/** CloudWatch's answer: for each hour of the clock how many reports there were, one a minute and instance. */
function measured({ madeAt, counts }: Thing, now: number): readonly Measurement[] {
  const reports = new Map<number, number>();
  for (const [index, instances] of counts.entries()) {
    const hour = Math.floor((madeAt + index) / 60) * 60;
    reports.set(hour, (reports.get(hour) ?? 0) + instances);
  }
  return [...reports].flatMap(([hour, samples]) => {
    const end = Math.min(hour + 60, now);
    if (end <= hour || samples === 0) return [];
    return [{ from: iso(hour), to: iso(end), units: samples / (end - hour) }];
  });
}

/** What the account's interfaces tell of one thing that serves, as a launch record. */
export function recordOf(thing: Thing, now: number, withReports: boolean): RunRecord {
  const { id, kind, madeAt, endedAt, hourlyUsd } = thing;
  const history: PricePoint[] = [];
  for (let minute = madeAt - (madeAt % 60); minute <= (endedAt ?? now); minute += 60) {
    history.push({ from: iso(minute), hourlyUsd: hourlyUsd * factor(thing, minute) });
  }
  const [first = { from: iso(madeAt), hourlyUsd }, ...rest] = history;
  const span = { from: iso(madeAt), to: endedAt === undefined ? undefined : iso(endedAt) };
  const usage: Usage = {
    ...{ kind: kind as UsageKind, resourceId: id, type: "g6.xlarge", units: 1, span },
    ...(kind === "endpoint" && withReports ? { measured: measured(thing, now) } : {}),
    prices: [first, ...rest],
  };
  const identity = { runId: id, stack, env: "dev", owner, model: "m", region: "us-east-1" };
  return { ...identity, charges: [], usages: [usage] };
}
