import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  type CloudWatchLogsClientConfig,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeEndpointCommand,
  SageMakerClient,
  type DescribeEndpointCommandOutput,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";

/** Log events that are asked for: the last lines are cut from them. */
const mostEvents = 500;
/** The runtime API itself gives a real-time answer this long. */
const patienceMs = 65_000;

/** The endpoint as SageMaker tells of it; undefined when there is none. */
export async function findEndpoint(
  EndpointName: string,
  region: string,
): Promise<DescribeEndpointCommandOutput | undefined> {
  const client = new SageMakerClient({ region });
  try {
    return await client.send(new DescribeEndpointCommand({ EndpointName }));
  } catch (error) {
    if (error instanceof Error && /Could not find/i.test(error.message)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/** Sends one JSON request to an endpoint's container; throws what it refused. */
export async function invoke(EndpointName: string, region: string, body: object): Promise<void> {
  const client = new SageMakerRuntimeClient({ region });
  try {
    await client.send(
      new InvokeEndpointCommand({
        EndpointName,
        ContentType: "application/json",
        Body: JSON.stringify(body),
      }),
      { abortSignal: AbortSignal.timeout(patienceMs) },
    );
  } finally {
    client.destroy();
  }
}

/**
 * The last lines that an endpoint's containers wrote, oldest first; none when there is no log, or none may be read.
 *
 * @param settings of the SDK's client
 */
export async function lastLogLines(
  endpointName: string,
  settings: CloudWatchLogsClientConfig,
  count: number,
): Promise<readonly string[]> {
  const client = new CloudWatchLogsClient({ ...settings, maxAttempts: 2 });
  const logGroupName = `/aws/sagemaker/Endpoints/${endpointName}`;
  try {
    const { events = [] } = await client.send(
      new FilterLogEventsCommand({ logGroupName, limit: mostEvents }),
    );
    return events.slice(-count).map(({ message = "" }) => message.trimEnd());
  } catch {
    return [];
  } finally {
    client.destroy();
  }
}
