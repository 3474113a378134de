import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import type { SentBytes } from "../../components/cost/egress-bound.ts";
import type { RunRecord, Usage } from "../../components/cost/usage.ts";
import type { ClientSettings } from "./account-scope.ts";

const dayMs = 86_400_000;
/** Questions that are under way at once; CloudWatch takes 400 a second. */
const atOnce = 8;

/**
 * What one host sent since its launch: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html.
 * A day is a value; one answer holds 1,440, and CloudWatch keeps them for 455 days, of instances that are gone too.
 */
async function sentBytes(client: CloudWatchClient, { resourceId, span }: Usage, now: Date) {
  const from = Math.floor(Date.parse(span.from) / dayMs) * dayMs;
  const to = span.to === undefined ? now : new Date(span.to);
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/EC2",
      MetricName: "NetworkOut",
      Dimensions: [{ Name: "InstanceId", Value: resourceId }],
      StartTime: new Date(from),
      EndTime: new Date(Math.max(to.getTime(), from + 60_000)),
      Period: 86_400,
      Statistics: ["Sum"],
    }),
  );
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

/** What each host of these runs sent, as CloudWatch counted it: one request a host, $0.01 for 1,000. */
export async function askSentBytes(
  settings: ClientSettings,
  records: readonly RunRecord[],
  now: Date,
): Promise<readonly SentBytes[]> {
  const hosts = records.flatMap(({ runId, region, usages }) =>
    usages.filter(({ kind }) => kind === "instance").map((usage) => ({ runId, region, usage })),
  );
  const sent: SentBytes[] = [];
  for (const [region, found = []] of Object.entries(Object.groupBy(hosts, (host) => host.region))) {
    const client = new CloudWatchClient({ ...settings, region });
    try {
      for (let index = 0; index < found.length; index += atOnce) {
        const asked = found.slice(index, index + atOnce).map(async ({ runId, usage }) => {
          const bytes = await sentBytes(client, usage, now);
          return { resourceId: usage.resourceId, runId, region, bytes };
        });
        sent.push(...(await Promise.all(asked)));
      }
    } finally {
      client.destroy();
    }
  }
  return sent;
}
