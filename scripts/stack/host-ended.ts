import { accountOf } from "../adapters/account.ts";
import { readHostState } from "../adapters/host-state.ts";
import type { Deployment } from "./deployment.ts";
import { hostName, hostsOf, type OutputsOfHost } from "./stack-hosts.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

const ended = ["shutting-down", "terminated", "gone"];

/**
 * The hosts of the last `up` that are no more: reclaimed by spot, ended by their idle check, or by hand. The state does not know it
 * then, and has to be refreshed before an `up` or a preview can plan others. Where EC2 cannot be asked, they are taken to live.
 */
export async function hostsEnded(
  { settings, cloud }: Deployment,
  outputs: BerthOutputs,
): Promise<readonly OutputsOfHost[]> {
  if (settings.target !== "ec2") return [];
  const scope = accountOf(settings.stack, settings.region, cloud);
  const gone = await Promise.all(
    hostsOf(outputs).map(async (host) => {
      const { state } = await readHostState(scope, host.instanceId ?? "");
      return ended.includes(state) ? [host] : [];
    }),
  );
  return gone.flat();
}

/** One line a host that is no more, and what comes of it. */
export function endedLines(gone: readonly OutputsOfHost[], then: string): readonly string[] {
  return gone.map((host) => {
    return `${hostName(host, host.index).padEnd(10)} ${host.instanceId ?? "?"} has ended; ${then}`;
  });
}
