import { accountOf } from "./adapters/account.ts";
import { readHostState } from "./adapters/host-state.ts";
import type { Deployment } from "./deployment.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

const ended = ["shutting-down", "terminated", "gone"];

/**
 * Whether the host of the last `up` is no more: reclaimed by spot, ended by its idle check, or by hand. The state does not know it
 * then, and has to be refreshed before an `up` or a preview can plan another one. Where EC2 cannot be asked, it is taken to live.
 */
export async function hostEnded(
  { settings, cloud }: Deployment,
  { instanceId }: BerthOutputs,
): Promise<boolean> {
  if (settings.target !== "ec2" || instanceId === undefined) return false;
  const scope = accountOf(settings.stack, settings.region, cloud);
  const { state } = await readHostState(scope, instanceId);
  return ended.includes(state);
}
