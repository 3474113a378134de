import { GetMetricStatisticsCommand, type CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { Measurement } from "../../../components/cost/usage.ts";
import { timestamp } from "../../../components/lease/lease.ts";

const hourMs = 3_600_000;

/** Hours that one call of CloudWatch answers at most: 1,440 values. */
const hoursACall = 1440;

/** A metric, and what of an hour of it makes so many units, all of the hour. */
export interface HourlyMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "SampleCount" | "Sum";
  /** What the statistic of a whole hour is for one unit. */
  readonly perUnitHour: number;
}

/**
 * A metric hour by hour, as units that were there or at work; hours without any are left out. CloudWatch keeps hours for 455
 * days, of what is gone too.
 */
export async function measuredHours(
  client: CloudWatchClient,
  { namespace, name, dimensions, statistic, perUnitHour }: HourlyMetric,
  { from, now }: { readonly from: Date; readonly now: Date },
): Promise<readonly Measurement[]> {
  const first = Math.floor(from.getTime() / hourMs) * hourMs;
  const measured: Measurement[] = [];
  for (let start = first; start < now.getTime(); start += hoursACall * hourMs) {
    const end = Math.min(start + hoursACall * hourMs, now.getTime());
    const { Datapoints = [] } = await client.send(
      new GetMetricStatisticsCommand({
        Namespace: namespace,
        MetricName: name,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        StartTime: new Date(start),
        EndTime: new Date(end),
        Period: 3600,
        Statistics: [statistic],
      }),
    );
    for (const { Timestamp, [statistic]: value = 0 } of Datapoints) {
      if (Timestamp === undefined || value === 0) continue;
      const to = Math.min(Timestamp.getTime() + hourMs, now.getTime());
      const hours = (to - Timestamp.getTime()) / hourMs;
      if (hours <= 0) continue;
      const units = value / perUnitHour / hours;
      measured.push({ from: timestamp(Timestamp), to: timestamp(new Date(to)), units });
    }
  }
  return measured.toSorted((a, b) => a.from.localeCompare(b.from));
}
