import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import { largestAnswerBytes, type SentBytes } from "../../../components/cost/egress-bound.ts";
import type { Interval, RunRecord, Usage } from "../../../components/cost/usage.ts";
import type { ClientSettings } from "../account-scope.ts";

const dayMs = 86_400_000;
/** Questions that are under way at once; CloudWatch takes 400 a second. */
const atOnce = 8;

interface Counted {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Where CloudWatch counts what a thing sent, or how often it was asked: one counter a variant. */
function countersOf({ kind, resourceId, variants = [] }: Usage): readonly Counted[] {
  if (kind === "instance") {
    const dimensions = { InstanceId: resourceId };
    return [{ namespace: "AWS/EC2", metric: "NetworkOut", dimensions }];
  }
  return variants.map((VariantName) => {
    // Of several variants each is a thing of its own, `endpoint/variant`.
    const [EndpointName = ""] = resourceId.split("/");
    const dimensions = { EndpointName, VariantName };
    return { namespace: "AWS/SageMaker", metric: "Invocations", dimensions };
  });
}

/**
 * What CloudWatch counted of one thing since its launch: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html.
 * A day is a value; one answer holds 1,440, and CloudWatch keeps them for 455 days, of what is gone too.
 */
async function count(
  client: CloudWatchClient,
  { namespace, metric, dimensions }: Counted,
  { span, now }: { readonly span: Interval; readonly now: Date },
): Promise<number> {
  const from = Math.floor(Date.parse(span.from) / dayMs) * dayMs;
  const to = span.to === undefined ? now : new Date(span.to);
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: namespace,
      MetricName: metric,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      StartTime: new Date(from),
      EndTime: new Date(Math.max(to.getTime(), from + 60_000)),
      Period: 86_400,
      Statistics: ["Sum"],
    }),
  );
  return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
}

/**
 * What each host of these runs sent, and the most that each endpoint can have answered, as CloudWatch counted it: one request
 * each, $0.01 for 1,000.
 */
export async function askSentBytes(
  settings: ClientSettings,
  records: readonly RunRecord[],
  now: Date,
): Promise<readonly SentBytes[]> {
  const senders = records.flatMap(({ runId, region, usages }) =>
    usages
      .filter(({ kind }) => kind === "instance" || kind === "endpoint")
      .map((usage) => ({ runId, region, usage })),
  );
  const sent: SentBytes[] = [];
  for (const [region, found = []] of Object.entries(
    Object.groupBy(senders, (each) => each.region),
  )) {
    const client = new CloudWatchClient({ ...settings, region });
    try {
      for (let index = 0; index < found.length; index += atOnce) {
        const asked = found.slice(index, index + atOnce).map(async ({ runId, usage }) => {
          const { resourceId, kind, span } = usage;
          let sum = 0;
          for (const counter of countersOf(usage))
            sum += await count(client, counter, { span, now });
          return kind === "instance"
            ? { resourceId, runId, region, bytes: sum }
            : { resourceId, runId, region, bytes: sum * largestAnswerBytes, requests: sum };
        });
        sent.push(...(await Promise.all(asked)));
      }
    } finally {
      client.destroy();
    }
  }
  return sent;
}
