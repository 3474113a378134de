import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { AccountScope } from "./account-scope.ts";

/** What EC2 says of an instance; "gone" once it is no longer listed, "unknown" when EC2 could not be asked. */
export interface HostState {
  readonly state: string;
  /** Why it is not known. */
  readonly why?: string;
}

/** Asks EC2 what has become of the host. */
export async function readHostState(scope: AccountScope, instanceId: string): Promise<HostState> {
  const client = new EC2Client({ ...scope.client, maxAttempts: 2 });
  try {
    const answer = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }), {
      abortSignal: AbortSignal.timeout(10_000),
    });
    return { state: answer.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "gone" };
  } catch (error) {
    if (error instanceof Error && error.name === "InvalidInstanceID.NotFound") {
      return { state: "gone" };
    }
    return { state: "unknown", why: error instanceof Error ? error.message : String(error) };
  } finally {
    client.destroy();
  }
}
