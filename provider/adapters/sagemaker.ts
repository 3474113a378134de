import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  type CloudWatchLogsClientConfig,
  type FilteredLogEvent,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeEndpointCommand,
  SageMakerClient,
  type DescribeEndpointCommandOutput,
} from "@aws-sdk/client-sagemaker";
import { findComponent, type ComponentView } from "./component-control.ts";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";

/** Pages of a log, 10,000 events each, that are read for its end: CloudWatch gives the oldest first. */
const mostPages = 20;
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

/** An endpoint's inference component as SageMaker tells of it; undefined when there is none. */
export async function lookAtComponent(
  name: string,
  region: string,
): Promise<ComponentView | undefined> {
  const client = new SageMakerClient({ region });
  try {
    return await findComponent(client, name);
  } finally {
    client.destroy();
  }
}

/** Whom a request is for. */
export interface Invoked {
  readonly endpointName: string;
  readonly componentName: string | undefined;
  /** One of several variants. @default whichever the weights give */
  readonly variantName?: string | undefined;
  readonly region: string;
}

/** Sends one JSON request to an endpoint's container; throws what it refused. */
export async function invoke(
  { endpointName: EndpointName, componentName, variantName, region }: Invoked,
  body: object,
): Promise<void> {
  const client = new SageMakerRuntimeClient({ region });
  try {
    await client.send(
      new InvokeEndpointCommand({
        EndpointName,
        InferenceComponentName: componentName,
        TargetVariant: variantName,
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
 * The last lines that the containers of an endpoint or a component wrote, oldest first; none when there is no log, or none may
 * be read.
 *
 * @param owner `Endpoints/<name>` or `InferenceComponents/<name>`
 * @param settings of the SDK's client
 */
export async function lastLogLines(
  owner: string,
  settings: CloudWatchLogsClientConfig,
  count: number,
): Promise<readonly string[]> {
  const client = new CloudWatchLogsClient({ ...settings, maxAttempts: 2 });
  const logGroupName = `/aws/sagemaker/${owner}`;
  try {
    let last: readonly FilteredLogEvent[] = [];
    let pages = 0;
    for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
      last = [...last, ...events.slice(-count)].slice(-count);
      pages += 1;
      if (pages === mostPages) break;
    }
    return last.map(({ message = "" }) => message.trimEnd());
  } catch {
    return [];
  } finally {
    client.destroy();
  }
}
