import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "../../components/counted.ts";
import { usd } from "../../components/plan-text.ts";
import { auditRuns, isFixable, type AuditedRun } from "../../components/teardown/audit.ts";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import {
  enabledRegions,
  takeInventory,
  type AccountInventory,
} from "../adapters/account-things.ts";
import { readClock } from "../adapters/clock.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import { askYes } from "../adapters/question.ts";
import { removeByTag, type Removal } from "../adapters/remove-by-tag.ts";
import { readStackConfig } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { duration } from "../cost-lines.ts";
import { exitCode } from "../exit-code.ts";

/** Flags of `berth audit`. */
export interface AuditOptions {
  /** Whose account: a local stack means the emulated one. */
  readonly env: string;
  /** With commas between; all that are enabled otherwise. */
  readonly regions?: string;
  /** Only deployments of this stack and of the owner that its file names. */
  readonly own?: boolean;
  /** Take down what is over. */
  readonly fix?: boolean;
  readonly yes?: boolean;
  /** Seconds between the two readings that a removal takes. */
  readonly wait?: string;
}

const defaultRegion = "us-east-1";

async function regionsOf(
  options: AuditOptions,
  cloud: LocalCloud | undefined,
  { client }: AccountScope,
): Promise<readonly string[]> {
  if (options.regions !== undefined) return options.regions.split(",").map((name) => name.trim());
  return cloud === undefined ? enabledRegions(client) : [defaultRegion];
}

function runLines(run: AuditedRun): readonly string[] {
  const { verdict, stack, owner, model, hourlyUsd, ageHours, regions, runId, reason } = run;
  const age = ageHours === undefined ? "age not known" : `${duration(ageHours)} old`;
  const kinds = Object.entries(Object.groupBy(run.things, ({ kind }) => kind));
  const parts = kinds.map(([kind, found = []]) => counted(found.length, kind)).join(", ");
  return [
    `${verdict.padEnd(14)} ${usd(hourlyUsd)}/h  "${stack}" of ${owner}: ${model}, ${age}, ${regions.join(", ")}, run ${runId}`,
    `               ${reason}; ${parts}`,
  ];
}

function say(terminal: Terminal, runs: readonly AuditedRun[], inventory: AccountInventory): void {
  const hourly = runs.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0);
  terminal.say(
    `audit      ${counted(runs.length, "deployment")}, ${usd(hourly)} an hour`,
    ...runs.flatMap(runLines),
  );
  for (const { id, type, region } of inventory.untaggedGpus) {
    terminal.say(`untagged       ${type} ${id} in ${region}: not berth's, and nothing says whose`);
  }
  for (const { question, why } of inventory.unanswered)
    terminal.say(`no answer      ${question}: ${why}`);
}

/** Which deployments are looked at: all, or those of one stack and its owner. */
function wantedRuns({ own, env }: AuditOptions): (run: AuditedRun) => boolean {
  if (own !== true) return () => true;
  const owner = readStackConfig(env)?.["berth:owner"];
  if (typeof owner !== "string") {
    throw new UserError(
      `The file of "${env}" names no berth:owner, so nothing is known as its own.`,
      {
        hint: "Set berth:owner there, or leave --own out.",
      },
    );
  }
  return (run) => run.stack === env && run.owner === owner;
}

interface Audit {
  readonly wanted: (run: AuditedRun) => boolean;
  readonly scope: AccountScope;
  readonly regions: readonly string[];
  readonly cloud: LocalCloud | undefined;
  /** Whether every region of the account is asked. */
  readonly everywhere: boolean;
}

async function read({ scope, regions, cloud, wanted, everywhere }: Audit) {
  const inventory = await takeInventory(scope.client, regions, everywhere);
  const now = await readClock(cloud);
  const runs = auditRuns(inventory.things, now).filter(wanted);
  const complete = inventory.unanswered.length === 0;
  return { inventory, runs, over: runs.filter((run) => isFixable(run, now, complete)) };
}

async function confirm(options: AuditOptions, count: number): Promise<void> {
  if (options.yes === true) return;
  if (!process.stdin.isTTY) {
    throw new UserError("Nobody is there to confirm it, so nothing was removed.", {
      hint: "Give --yes beside --fix.",
    });
  }
  if (!(await askYes(`Remove these ${count}?`))) throw new UserError("Nothing was removed.");
}

/** Never on one reading: what is over is looked at again after a while, and only what is over then too goes. */
async function fix(
  audit: Audit,
  options: AuditOptions,
  first: readonly AuditedRun[],
  terminal: Terminal,
): Promise<readonly Removal[]> {
  terminal.say(`fix        ${first.length} are over; looking again in ${options.wait ?? "60"} s`);
  await confirm(options, first.length);
  await sleep(Number(options.wait ?? 60) * 1000);
  const { over: again } = await read(audit);
  const removals: Removal[] = [];
  for (const { runId, stack, regions, reason } of again) {
    if (!first.some((run) => run.runId === runId)) continue;
    terminal.say(`removes    run ${runId} of "${stack}": ${reason}`);
    for (const region of regions) {
      const client = { ...audit.scope.client, region };
      const scope = { stack, runId, region, client };
      const tell = (line: string) => {
        terminal.say(line);
      };
      const pauseMs = audit.cloud === undefined ? 5000 : 500;
      removals.push(await removeByTag(scope, { rounds: 12, pauseMs, tell }));
    }
  }
  return removals;
}

/** `berth audit`: everything that berth made in the account, what it costs, and when it ends; `--fix` removes what is over. */
export async function runAudit(options: AuditOptions, terminal: Terminal): Promise<number> {
  const cloud = cloudOf(options.env);
  const scope = accountOf(options.env, process.env["AWS_REGION"] ?? defaultRegion, cloud);
  await checkCredentials(scope);
  const wanted = wantedRuns(options);
  const regions = await regionsOf(options, cloud, scope);
  const audit = { scope, cloud, wanted, regions, everywhere: options.regions === undefined };
  const { inventory, runs, over } = await read(audit);
  say(terminal, runs, inventory);
  const removals =
    options.fix === true && over.length > 0 ? await fix(audit, options, over, terminal) : [];
  for (const { kind, id, reason } of removals.flatMap(({ kept }) => kept)) {
    terminal.say(`still there    ${kind} ${id}: ${reason}`);
  }
  const { untaggedGpus, unanswered } = inventory;
  terminal.result({ regions: audit.regions, runs, untaggedGpus, unanswered, removals });
  const left =
    options.fix === true ? removals.some(({ kept }) => kept.length > 0) : over.length > 0;
  return left || unanswered.length > 0 ? exitCode.leftBehind : exitCode.ok;
}
