import { UserError } from "../components/user-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { remoteScript } from "./remote/scripts.ts";

const claimScript = remoteScript("claim-host.sh");
const releaseScript = remoteScript("release-host.sh");
/** Exit status of both scripts when another deployment has the machine. */
const takenStatus = 4;
/** Hundreds of GB of weights are not removed in a moment. */
const releaseMs = 600_000;

/** Which deployment has a machine. */
export interface Claim {
  readonly dataFolder: string;
  readonly stack: string;
  readonly runId: string;
}

function words(action: readonly string[], folder: string, { stack, runId }: Claim): string[] {
  return [...action, folder, stack, runId];
}

function taken(host: Host, stderr: string, folder: string): UserError | undefined {
  const holder = /^E_TAKEN (.*)$/m.exec(stderr)?.[1];
  if (holder === undefined) return undefined;
  const [stack = "", runId = ""] = holder.split(" ");
  const who = runId === "" ? "nobody" : `the stack "${stack}" (run ${runId})`;
  return new UserError(`${host.name} is taken by ${who} (E_TAKEN)`, {
    hint: `Take that one down first. If it is gone for good, remove ${folder}/deployment on the machine.`,
  });
}

async function ask(host: Host, action: "claim" | "look", folder: string, claim: Claim) {
  const args = words([action], folder, claim);
  const result = await host.script(claimScript, { args, timeoutMs: 30_000 });
  if (result.code === 0) return result.stdout.trim();
  throw (
    taken(host, result.stderr, folder) ??
    new Error(`the machine ${host.name} could not be taken: ${result.stderr.trim()}`)
  );
}

/**
 * Takes a machine for a deployment; one that has it already keeps it.
 *
 * @returns a number that is the machine's own, whatever its address
 * @throws UserError when another deployment has it
 */
export async function claimHost(host: Host, claim: Claim): Promise<string> {
  const folder = await ensureFolder(host, claim.dataFolder);
  return `machine-${await ask(host, "claim", folder, claim)}`;
}

/** Whether the machine is still the deployment's. @throws UserError when it is not */
export async function stillClaimed(host: Host, claim: Claim): Promise<void> {
  await ask(host, "look", await ensureFolder(host, claim.dataFolder), claim);
}

/**
 * Removes what berth put on a machine and gives it back.
 *
 * @returns what stays on it, a sentence each
 * @throws UserError when another deployment has it by now
 */
export async function releaseHost(host: Host, claim: Claim): Promise<readonly string[]> {
  const folder = await ensureFolder(host, claim.dataFolder);
  const args = words([], folder, claim);
  const result = await host.script(releaseScript, { args, timeoutMs: releaseMs });
  if (result.code === takenStatus) throw taken(host, result.stderr, folder) ?? new Error("E_TAKEN");
  if (result.code !== 0)
    throw new Error(
      `what berth put on ${host.name} could not be removed: ${result.stderr.trim().split("\n").slice(-4).join(" ")}`,
    );
  return result.stdout
    .split("\n")
    .filter((line) => line.startsWith("@stays "))
    .map((line) => line.slice("@stays ".length));
}
