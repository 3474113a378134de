import { CloudWatchClient, GetMetricStatisticsCommand } from "@aws-sdk/client-cloudwatch";
import type { AccountScope } from "../account-scope.ts";

/** What waits for an asynchronous endpoint. */
export interface AsyncQueue {
  /** Waiting, or being answered. */
  readonly requests: number;
  /** Age of the oldest; undefined where CloudWatch has none. */
  readonly oldestSeconds: number | undefined;
  /** Age of the report itself. */
  readonly secondsAgo: number;
}

/** Reports come once a minute; one that is older than this says nothing of now. */
const lookBackSeconds = 300;
const periodSeconds = 60;

/** The newest value of a metric, with when it was. */
async function newest(
  client: CloudWatchClient,
  { name, endpointName, now }: { readonly name: string; endpointName: string; now: Date },
): Promise<{ readonly value: number; readonly at: Date } | undefined> {
  const { Datapoints = [] } = await client.send(
    new GetMetricStatisticsCommand({
      Namespace: "AWS/SageMaker",
      MetricName: name,
      Dimensions: [{ Name: "EndpointName", Value: endpointName }],
      StartTime: new Date(now.getTime() - lookBackSeconds * 1000),
      EndTime: now,
      Period: periodSeconds,
      Statistics: ["Maximum"],
    }),
    { abortSignal: AbortSignal.timeout(10_000) },
  );
  const [last] = Datapoints.toSorted(
    (a, b) => (b.Timestamp?.getTime() ?? 0) - (a.Timestamp?.getTime() ?? 0),
  );
  if (last?.Timestamp === undefined || last.Maximum === undefined) return undefined;
  return { value: last.Maximum, at: last.Timestamp };
}

/**
 * How many requests wait for an asynchronous endpoint, by its own reports
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html).
 *
 * @returns undefined when it has reported nothing for five minutes
 */
export async function readAsyncQueue(
  scope: AccountScope,
  endpointName: string,
  now: Date,
): Promise<AsyncQueue | undefined> {
  const client = new CloudWatchClient({ ...scope.client, maxAttempts: 2 });
  try {
    const [size, age] = await Promise.all(
      ["ApproximateBacklogSize", "ApproximateAgeOfOldestRequest"].map((name) =>
        newest(client, { name, endpointName, now }),
      ),
    );
    if (size === undefined) return undefined;
    const secondsAgo = Math.max(0, Math.round((now.getTime() - size.at.getTime()) / 1000));
    return { requests: size.value, oldestSeconds: age?.value, secondsAgo };
  } finally {
    client.destroy();
  }
}
