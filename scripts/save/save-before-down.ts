import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { readHostState } from "../adapters/host-state.ts";
import type { StackState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { duration } from "../stack/cost-lines.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";
import { saveFiles, type Saved } from "./save-files.ts";
import { savedPaths, saveTarget, type SaveTarget } from "./save-target.ts";

/** What a teardown is asked to save first. */
export interface SaveRequest {
  /** Files and folders of the host; empty saves nothing. */
  readonly paths: readonly string[];
  /** `s3://bucket/prefix`. */
  readonly saveTo: string | undefined;
  /** Of the stack's file. */
  readonly weightsBucket: string | undefined;
}

/** A save that was checked, and has not begun. */
export interface PlannedSave {
  readonly paths: readonly string[];
  readonly target: SaveTarget;
}

/**
 * Checks what is to be saved and where, before anybody is asked whether to take the stack down.
 *
 * @throws UserError when a path or the place cannot be right
 */
export function planSave(
  request: SaveRequest,
  scope: Pick<AccountScope, "stack" | "runId">,
  state: StackState | undefined,
): PlannedSave | undefined {
  if (request.paths.length === 0) return undefined;
  const paths = savedPaths(request.paths);
  const ownBuckets = (state?.things ?? [])
    .filter(({ type }) => type === "aws:s3/bucket:Bucket")
    .map(({ id }) => id);
  const { saveTo, weightsBucket } = request;
  const { stack, runId } = scope;
  return { paths, target: saveTarget({ saveTo, weightsBucket, ownBuckets, stack, runId }) };
}

/** Whose host it is, and when it ends whatever happens. */
export interface SaveScope {
  readonly scope: AccountScope;
  readonly outputs: BerthOutputs;
  readonly now: Date;
  readonly terminal: Terminal;
}

/** Whether there is a host to save from; one that has ended holds nothing that a teardown could lose. */
async function hostIsThere({ scope, outputs, terminal }: SaveScope): Promise<boolean> {
  const { instanceId, address } = outputs;
  if (instanceId === undefined) {
    if (address !== undefined) return true;
    terminal.say("saves      nothing: the stack has no host");
    return false;
  }
  const { state } = await readHostState(scope, instanceId);
  if (state !== "terminated" && state !== "shutting-down" && state !== "gone") return true;
  terminal.say(`saves      nothing: the host is ${state}, and its disks went with it`);
  return false;
}

/**
 * Saves what was asked for; when it cannot, nothing may be taken down. The lease does not wait: its layers end the host at the
 * deadline all the same.
 *
 * @throws UserError saying that nothing was taken down, why, and until when there is time
 */
export async function saveBeforeDown(
  planned: PlannedSave,
  given: SaveScope,
): Promise<Saved | undefined> {
  const { scope, outputs, now, terminal } = given;
  if (!(await hostIsThere(given))) return undefined;
  const { expiresAt = "" } = outputs;
  const leftHours =
    expiresAt === "" ? undefined : (Date.parse(expiresAt) - now.getTime()) / 3_600_000;
  const until =
    leftHours === undefined
      ? "it has no deadline"
      : `the lease ends the host at ${expiresAt} all the same, ${leftHours > 0 ? `in ${duration(leftHours)}` : "which has passed"}`;
  const which = outputs.hosts === undefined ? "" : " of host 0";
  terminal.say(`saves      ${planned.paths.join(", ")}${which}; ${until}`);
  try {
    const host = sshTarget(outputs);
    const saved = await saveFiles({ host, ...planned, client: scope.client, terminal });
    terminal.say(`saved      ${saved.files} files in ${saved.uri}, each checked there`);
    return saved;
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`Nothing was taken down, since it could not be saved: ${cause.message}`, {
      problems: cause.problems,
      hint: `${cause.hint ?? "Try again."} There is time, since ${until}; more with: npm run berth -- extend 2h --env ${scope.stack}. To give the files up, leave --save out.`,
      cause,
    });
  }
}
