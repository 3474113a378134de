import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { UserError } from "../../components/user-error.ts";
import { SshError } from "../adapters/ssh-error.ts";
import type { Operation } from "../plugin/resource-type.ts";

async function instanceState(instanceId: string): Promise<string | undefined> {
  // A machine that is there already is in no account: EC2 is not asked, so that no credentials are needed.
  if (!instanceId.startsWith("i-")) return undefined;
  try {
    const client = new EC2Client({ maxAttempts: 2 });
    const answer = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    client.destroy();
    return answer.Reservations?.[0]?.Instances?.[0]?.State?.Name ?? "terminated";
  } catch (error) {
    // EC2 forgets a terminated instance after about an hour.
    return error instanceof Error && error.name.startsWith("InvalidInstanceID")
      ? "forgotten"
      : undefined;
  }
}

/** Whether EC2 says that an instance is terminated or about to be; false when it cannot be asked. */
export async function isTerminated(instanceId: string): Promise<boolean> {
  const state = await instanceState(instanceId);
  return state === "terminated" || state === "shutting-down";
}

/** Whether an error means that the host, or the one that we know, could not be reached at all. */
export function isUnreachable(error: unknown): boolean {
  const cause = error instanceof UserError ? error.cause : error;
  return cause instanceof SshError && ["unreachable", "lost", "host-key"].includes(cause.failure);
}

/**
 * For a Read that could not reach its host: undefined, "it is gone", when EC2 says that the instance is terminated; else the
 * error again, since a host that does not answer for a moment must not fall out of the state.
 */
export async function goneOrRethrow(
  error: unknown,
  instanceId: string,
  operation: Operation,
): Promise<undefined> {
  if (!isUnreachable(error)) throw error;
  const state = await instanceState(instanceId);
  if (state === undefined || !["terminated", "shutting-down", "forgotten"].includes(state))
    throw error;
  operation.log(`${instanceId} is terminated`, "warning");
  return undefined;
}
