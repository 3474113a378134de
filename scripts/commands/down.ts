import { counted } from "../../components/counted.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import type { AccountScope, Remnant } from "../adapters/account-scope.ts";
import { denialLines } from "../adapters/budget-denial.ts";
import { readClock } from "../adapters/clock.ts";
import { updateRecords } from "../adapters/cost/cost-records.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { findRuns, type TaggedRun } from "../adapters/find-runs.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { readProtection } from "../adapters/read-protection.ts";
import { inRegion } from "../adapters/receipt/receipt-elsewhere.ts";
import { writeReceipt } from "../adapters/receipt/receipt-file.ts";
import { isClean, makeReceipt, receiptLines } from "../adapters/receipt/receipt.ts";
import { removeByTag, type Removal } from "../adapters/remove-by-tag.ts";
import { readStackConfig, regionOfStack } from "../adapters/stack-file.ts";
import { isExistingHost } from "../adapters/stack-target.ts";
import { readStackState, unprotectState, type StackState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { confirmDown } from "../teardown/confirm-down.ts";
import { runningCost, type RunningCost } from "../stack/cost-lines.ts";
import {
  namedRegions,
  removeElsewhere,
  type RemovedElsewhere,
} from "../teardown/down-elsewhere.ts";
import { downReport } from "../teardown/down-report.ts";
import { findDeployment, type OpenedStack, type StackOptions } from "../stack/deployment.ts";
import { destroyStack, forgetCutOff, goesLine } from "../teardown/destroy-stack.ts";
import { exitCode } from "../cli/exit-code.ts";
import { planSave, saveBeforeDown, type PlannedSave } from "../save/save-before-down.ts";
import type { Saved } from "../save/save-files.ts";
import { readOutputs } from "../stack/stack-outputs.ts";
import { teardownDue } from "../teardown/teardown-due.ts";
import { downFromMachine } from "./existing-host.ts";

/** Flags of `berth down`. */
export interface DownOptions extends StackOptions {
  /** Do not ask. */
  readonly yes?: boolean;
  /** Only when the lease is over: for whoever runs it by the clock. */
  readonly ifOver?: boolean;
  /** Only outside of the stack's office hours. With `ifOver` either is enough. */
  readonly ifClosed?: boolean;
  /** Take a protected deployment down too. */
  readonly force?: boolean;
  /** Paths on the host that are saved first. */
  readonly save?: readonly string[];
  /** Where to, `s3://bucket/prefix`. */
  readonly saveTo?: string;
}

/** What is about to be taken down. */
interface Target {
  readonly options: DownOptions;
  readonly terminal: Terminal;
  readonly cloud: LocalCloud | undefined;
  /** With the run's id where a state tells it. */
  readonly scope: AccountScope;
  /** Its number. */
  readonly account: string;
  readonly opened: OpenedStack | undefined;
  readonly state: StackState | undefined;
}

async function findTarget(options: DownOptions, terminal: Terminal): Promise<Target> {
  const { env } = options;
  const cloud = cloudOf(env);
  const account = accountOf(env, regionOfStack(env), cloud);
  const number = await checkCredentials(account);
  const opened = await findDeployment(options, cloud);
  const state = opened === undefined ? undefined : await readStackState(opened.stack);
  // Where it stands, whatever its file says by now.
  const stands = inRegion(account, state?.lease?.region ?? account.region);
  const scope = { ...stands, runId: state?.lease?.runId };
  return { options, terminal, cloud, scope, account: number, opened, state };
}

/** Whether one of the conditions that were given is met; says so when none is. */
async function isDue({ state, cloud, options, terminal }: Target): Promise<boolean> {
  const { env, ifOver = false, ifClosed = false } = options;
  const expiresAt = state?.lease?.expiresAt ?? "";
  const said = readStackConfig(env)?.["berth:officeHours"];
  const officeHours = typeof said === "string" ? said : undefined;
  const now = await readClock(cloud);
  const { due, why } = teardownDue({ ifOver, ifClosed }, { expiresAt, officeHours }, now);
  if (due) return true;
  terminal.say(`"${env}" ${why}; nothing was done.`);
  terminal.result({ env, over: false, why, expiresAt });
  return false;
}

/**
 * Holds what is protected.
 *
 * @returns whether Pulumi's own protection may go too: only when that was asked for by force, or is known to be taken away
 */
async function refuseProtected({ options, scope, state }: Target): Promise<boolean> {
  if (options.force === true) return true;
  const protection = await readProtection(scope, state);
  if (protection !== "true") return protection === "false";
  throw new UserError(`"${options.env}" is protected.`, {
    hint: `Take that away with: npm run berth -- protect --off --env ${options.env}. Or give --force.`,
  });
}

/** Runs of this stack's name that no state tells of: the owner's own, and those of others, which stay. */
async function strayRuns(target: Target) {
  const owner = readStackConfig(target.options.env)?.["berth:owner"];
  const known = target.state?.lease;
  const runs: TaggedRun[] = [];
  for (const run of await findRuns(target.scope)) {
    if (run.runId === known?.runId) continue;
    // EC2 goes on telling the tags of what has ended.
    const { left, unanswered } = await makeReceipt({ ...target.scope, runId: run.runId }, once);
    if (left.length > 0 || unanswered.length > 0) runs.push(run);
  }
  const own = runs.filter((run) => run.owner === owner);
  return { own, foreign: runs.filter((run) => run.owner !== owner) };
}

interface Strays {
  readonly own: readonly TaggedRun[];
  readonly foreign: readonly TaggedRun[];
}

function saveOf({ options, scope, state }: Target, strays: Strays): PlannedSave | undefined {
  const { save: paths = [], saveTo } = options;
  const [stray] = strays.own;
  if (paths.length > 0 && stray !== undefined) {
    throw new UserError(
      `No state knows the run ${stray.runId}, so its host cannot be reached to save anything.`,
      { hint: "Log in to it yourself, or leave --save out to give its files up." },
    );
  }
  const given = readStackConfig(options.env)?.["berth:weightsBucket"];
  const weightsBucket = typeof given === "string" ? given : undefined;
  return planSave({ paths, saveTo, weightsBucket }, scope, state);
}

/** Says what goes and what stays. */
async function announce(
  target: Target,
  strays: Strays,
  save: PlannedSave | undefined,
): Promise<void> {
  const { options, terminal, scope, opened, state } = target;
  const { env } = options;
  if (opened === undefined) terminal.say(`There is no stack "${env}" in this backend.`);
  const tagged = scope.runId === undefined ? undefined : await makeReceipt(scope, once);
  const kinds = Object.entries(Object.groupBy(tagged?.left ?? [], ({ kind }) => kind));
  const parts = kinds.map(([kind, found = []]) => counted(found.length, kind)).join(", ");
  const pending = state?.pending ?? 0;
  terminal.say(
    goesLine(state?.resources, parts, scope.region),
    ...(pending > 0
      ? [
          `           ${counted(pending, "operation")} cut off: what was made is looked for by its tag`,
        ]
      : []),
    ...strays.own.map(
      ({ runId, owner }) =>
        `goes       what is tagged as run ${runId} of ${owner}, which no state knows`,
    ),
    ...strays.foreign.map(({ runId, owner }) => `stays      run ${runId} of ${owner}`),
  );
  if (save !== undefined) {
    const { paths, target } = save;
    terminal.say(`saves      ${paths.join(", ")} to s3://${target.bucket}/${target.prefix} first`);
  }
  const bucket = readStackConfig(env)?.["berth:weightsBucket"];
  if (typeof bucket === "string") terminal.say(`stays      the weights in s3://${bucket}`);
  terminal.say(...(await denialLines(scope.client, readStackConfig(env))));
}

const once = { attempts: 1, pauseMs: 0 };

async function costOf({ opened, cloud }: Target): Promise<RunningCost | undefined> {
  if (opened === undefined) return undefined;
  return runningCost(readOutputs(await opened.stack.outputs()), await readClock(cloud));
}

async function saveFirst(target: Target, save: PlannedSave): Promise<Saved | undefined> {
  const { opened, scope, cloud, terminal } = target;
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  return saveBeforeDown(save, { scope, outputs, now: await readClock(cloud), terminal });
}

/** Keeps what ran for `berth cost`; that it could not be kept must not keep anything from being taken down. */
async function rememberCost({ scope, cloud, account, terminal }: Target): Promise<void> {
  try {
    const now = await readClock(cloud);
    const { unanswered } = await updateRecords(scope.client, [scope.region], { now, account });
    if (unanswered.length > 0) throw new Error(unanswered.join("; "));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    terminal.complain(
      `The launch records for \`berth cost\` could not be brought up to date: ${why}`,
    );
  }
}

/** What costs by the hour, and what holds a network that the engine would wait for in vain; a state names each of these. */
const orphanKinds = [
  ...["spot-request", "instance", "endpoint", "training-job"],
  ...["vpc-endpoint", "security-group", "route-table", "subnet", "internet-gateway", "vpc"],
];

/**
 * Ends what of the run the state does not know: a create whose answer was lost, or that a killed client never wrote down. It
 * comes first, since hosts cost, and since what the state knows cannot go while other things stand in it.
 */
async function endOrphans({ scope, state, cloud, terminal }: Target): Promise<void> {
  if (scope.runId === undefined || state === undefined) return;
  const only = ({ kind, id }: Remnant) => orphanKinds.includes(kind) && !state.text.includes(id);
  const tell = (line: string) => {
    terminal.say(line);
  };
  const patience = { rounds: 6, pauseMs: cloud === undefined ? 5000 : 500, tell, only };
  const { removed } = await removeByTag(scope, patience);
  for (const { kind, id } of removed)
    terminal.say(`ended      ${kind} ${id}, which the state did not know`);
}

/** Asks for what the engine left, by its tag and by the names of the state, and removes it. */
async function removeRest(target: Target, runId: string): Promise<Removal> {
  const { terminal, scope, cloud, state } = target;
  const pauseMs = cloud === undefined ? 5000 : 500;
  const tell = (line: string) => {
    terminal.say(line);
  };
  const named = runId === scope.runId ? state?.things : undefined;
  return removeByTag({ ...scope, runId }, { rounds: 12, pauseMs, tell, named });
}

/** Regions that are not the stack's: nothing of it is made there, and a receipt is to know that. */
function restElsewhere(
  { scope, options, state, terminal, cloud }: Target,
  runIds: readonly (string | undefined)[],
): Promise<RemovedElsewhere> {
  const regions = namedRegions(readStackConfig(options.env), state, scope.region);
  const tell = (line: string) => {
    terminal.say(line);
  };
  const patience = { rounds: 12, pauseMs: cloud === undefined ? 5000 : 500, tell };
  return removeElsewhere(
    scope,
    runIds.filter((runId) => runId !== undefined),
    { regions, patience },
  );
}

/** `berth down`: removes everything of the stack, by its state and then by its tags, and asks the account what is left. */
export async function runDown(options: DownOptions, terminal: Terminal): Promise<number> {
  if (isExistingHost(options.env)) return downFromMachine(options, terminal);
  const target = await findTarget(options, terminal);
  if (!(await isDue(target))) return exitCode.ok;
  const unprotect = await refuseProtected(target);
  const strays = await strayRuns(target);
  const save = saveOf(target, strays);
  await announce(target, strays, save);
  await confirmDown(options);
  const saved = save === undefined ? undefined : await saveFirst(target, save);
  const cost = await costOf(target);
  const { opened, scope } = target;
  if (unprotect && opened !== undefined) await unprotectState(opened.stack);
  await rememberCost(target);
  await endOrphans(target);
  const destroyed = opened === undefined ? [] : await destroyStack(opened, options.env, terminal);
  const runIds = [scope.runId, ...strays.own.map(({ runId }) => runId)];
  const removals: Removal[] = [];
  for (const runId of runIds)
    if (runId !== undefined) removals.push(await removeRest(target, runId));
  const elsewhere = await restElsewhere(target, runIds);
  await rememberCost(target);
  const at = timestamp(await readClock(target.cloud));
  const pauseMs = target.cloud === undefined ? 5000 : 500;
  const done = await downReport(
    { ...scope, stack: options.env },
    { destroyed, removals, elsewhere, cost, saved, at, pauseMs },
  );
  const written = await writeReceipt(done);
  terminal.say(
    ...receiptLines(done),
    ...done.removedByTag.map(
      ({ service, kind, id }) => `           by its tag: ${service} ${kind} ${id}`,
    ),
    `           ${written.pageFile}`,
    `           sha256 ${written.sha256}`,
  );
  const clean = isClean(done);
  if (clean) await forgetCutOff(target);
  terminal.result({ destroyed, receipt: done, clean, ...written });
  return clean ? exitCode.ok : exitCode.leftBehind;
}
