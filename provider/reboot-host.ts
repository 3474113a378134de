import { setTimeout as sleep } from "node:timers/promises";
import { failureMode } from "../components/bootstrap/failures.ts";
import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { SshError } from "./adapters/ssh-error.ts";

/** Ten minutes; a machine of bare metal may take twice that. */
export const usualRebootSeconds = 600;

const bootId = "cat /proc/sys/kernel/random/boot_id\n";

// Sent again over a new connection, it must not reboot the machine that has just come up: so it names the boot to end.
const reboot = `set -euo pipefail
[ "$(cat /proc/sys/kernel/random/boot_id)" = "$1" ] || exit 0
if [ "$(id -u)" = 0 ]; then systemctl reboot; else sudo -n systemctl reboot; fi
`;

/**
 * Reboots a host and waits until another boot of it answers. After the order the old boot may still take a login or two,
 * so an answer alone proves nothing.
 *
 * @throws UserError E_REBOOT_TIMEOUT when no other boot answers in time
 */
export async function rebootHost(
  host: Host,
  timeoutSeconds: number = usualRebootSeconds,
  signal?: AbortSignal,
): Promise<void> {
  const before = (await host.output(bootId)).trim();
  const deadline = Date.now() + timeoutSeconds * 1000;
  await host.output(reboot, [before]).catch(passing);
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    host.close();
    await sleep(500);
    const now = await host.output(bootId, [], 10_000).catch(passing);
    if (now !== undefined && now.trim() !== before) return;
  }
  const { code, remedy } = failureMode("E_REBOOT_TIMEOUT");
  throw new UserError(
    `${host.name} did not come back from its reboot within ${timeoutSeconds} s (${code})`,
    { hint: remedy },
  );
}

/** Any end of a connection is to be expected while a host goes down and comes up; another machine's key is not. */
function passing(error: unknown): undefined {
  if (error instanceof SshError && error.failure !== "host-key") return undefined;
  // The shell of the order may be killed by the shutdown that it asked for.
  if (error instanceof Error && error.message.includes("failed with status")) return undefined;
  throw error;
}
