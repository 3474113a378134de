import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { accountOf } from "../adapters/account.ts";
import { readEndpointState } from "../adapters/endpoint/endpoint-state.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";

const graceSeconds = 60;
const patienceMs = 60_000;

/** What happened when the clock passed the deadline. */
export interface DeadlineReport {
  /** Calls that the schedule and its state machine made, in order. */
  readonly calls: readonly {
    readonly caller: string;
    readonly call: string;
    readonly status: number;
  }[];
  /** EC2's word for the instance afterwards, or "gone" for an endpoint. */
  readonly state: string;
}

async function stateOf(cloud: Cloud, instanceId: string): Promise<string> {
  const client = new EC2Client({
    endpoint: cloud.endpoint,
    region: cloud.environment["AWS_REGION"] ?? "us-east-1",
    credentials: {
      accessKeyId: cloud.environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: cloud.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  });
  try {
    const found = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    return found.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "unknown";
  } finally {
    client.destroy();
  }
}

async function endpointState(cloud: Cloud, name: string): Promise<string> {
  const scope = accountOf("demo", cloud.environment["AWS_REGION"] ?? "us-east-1", cloud);
  return (await readEndpointState(scope, name)).state;
}

/**
 * Moves the cloud's clock past the deadline and waits until the host is terminated, or the endpoint gone.
 *
 * @throws Error when it is not within a minute: then the schedule did not do its work
 */
export async function passDeadline(
  cloud: Cloud,
  { expiresAt = "", instanceId = "", endpointName }: BerthOutputs,
): Promise<DeadlineReport> {
  const ask = (): Promise<string> =>
    endpointName === undefined ? stateOf(cloud, instanceId) : endpointState(cloud, endpointName);
  const before = cloud.calls().length;
  const seconds = (Date.parse(expiresAt) - cloud.now().getTime()) / 1000 + graceSeconds;
  await cloud.advanceClock(seconds);
  const end = Date.now() + patienceMs;
  let state = await ask();
  while (state !== "terminated" && state !== "gone") {
    if (Date.now() > end) {
      throw new Error(`the deadline has passed and ${endpointName ?? instanceId} is ${state}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
    state = await ask();
  }
  const calls = cloud
    .calls()
    .slice(before)
    .flatMap(({ caller, service, operation, status }) =>
      caller === "scheduler" || caller === "states"
        ? [{ caller, call: `${service}:${operation}`, status }]
        : [],
    );
  return { calls, state };
}
