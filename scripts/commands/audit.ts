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
import {
  imageLines,
  removeImages,
  takeImageInventory,
  type ImageInventory,
} from "../teardown/audit-images.ts";
import { duration } from "../stack/cost-lines.ts";
import { namedRegions } from "../teardown/down-elsewhere.ts";
import { exitCode } from "../cli/exit-code.ts";

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
  /** Seconds between the two readings that a removal takes. @default 60, and 2 in the emulated account */
  readonly wait?: string;
}

const defaultRegion = "us-east-1";

async function regionsOf(
  options: AuditOptions,
  cloud: LocalCloud | undefined,
  { client }: AccountScope,
): Promise<readonly string[]> {
  if (options.regions !== undefined) return options.regions.split(",").map((name) => name.trim());
  if (cloud === undefined) return enabledRegions(client);
  // Of the emulated account, where each region costs time and most hold nothing: those that the stack's file names.
  const config = readStackConfig(options.env);
  const own = config?.["aws:region"];
  const region = typeof own === "string" ? own : defaultRegion;
  return [region, ...namedRegions(config, undefined, region)];
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

interface Reading {
  readonly runs: readonly AuditedRun[];
  readonly inventory: AccountInventory;
  readonly images: ImageInventory["images"];
  readonly now: Date;
}

function say(terminal: Terminal, { runs, inventory, images }: Reading): void {
  const hourly = runs.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0);
  terminal.say(
    `audit      ${counted(runs.length, "deployment")}, ${usd(hourly)} an hour`,
    ...runs.flatMap(runLines),
    ...imageLines(images),
  );
  for (const { id, type, region } of inventory.untaggedGpus) {
    terminal.say(`untagged       ${type} ${id} in ${region}: not berth's, and nothing says whose`);
  }
  for (const { question, why } of inventory.unanswered)
    terminal.say(`no answer      ${question}: ${why}`);
}

/** Which deployments and images are looked at: all, or those of one stack and its owner. */
function wantedOf({ own, env }: AuditOptions): Pick<Audit, "wanted" | "wantedOwner"> {
  if (own !== true) return { wanted: () => true, wantedOwner: undefined };
  const owner = readStackConfig(env)?.["berth:owner"];
  if (typeof owner !== "string") {
    throw new UserError(
      `The file of "${env}" names no berth:owner, so nothing is known as its own.`,
      {
        hint: "Set berth:owner there, or leave --own out.",
      },
    );
  }
  const wanted = (run: AuditedRun) => run.stack === env && run.owner === owner;
  return { wanted, wantedOwner: owner };
}

interface Audit {
  readonly wanted: (run: AuditedRun) => boolean;
  /** Whose images are looked at. @default everybody's */
  readonly wantedOwner: string | undefined;
  readonly scope: AccountScope;
  readonly regions: readonly string[];
  readonly cloud: LocalCloud | undefined;
  /** Whether every region of the account is asked. */
  readonly everywhere: boolean;
}

async function read(audit: Audit): Promise<Reading> {
  const { scope, regions, cloud, wanted, wantedOwner, everywhere } = audit;
  const found = await takeInventory(scope.client, regions, everywhere);
  const now = await readClock(cloud);
  const question = { client: scope.client, regions, emulated: cloud !== undefined };
  const { images, unanswered } = await takeImageInventory(question, now);
  const inventory = { ...found, unanswered: [...found.unanswered, ...unanswered] };
  const owned = images.filter(({ owner }) => wantedOwner === undefined || owner === wantedOwner);
  const runs = auditRuns(inventory.things, now).filter(wanted);
  return { inventory, now, runs, images: owned };
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

/** What is over at one reading. */
interface Over {
  readonly runs: readonly AuditedRun[];
  readonly images: ImageInventory["images"];
}

interface Fixed {
  readonly removals: readonly Removal[];
  readonly kept: readonly { readonly kind: string; readonly id: string; readonly reason: string }[];
}

/** An image may be wanted by a stack that this folder lacks, as in a workflow: `--own` is of one stack, and leaves images alone. */
function overOf(reading: Reading, { wantedOwner, everywhere }: Audit): Over {
  const { runs, images, inventory, now } = reading;
  const complete = everywhere && inventory.unanswered.length === 0;
  return {
    runs: runs.filter((run) => isFixable(run, now, complete)),
    images: wantedOwner === undefined ? images.filter(({ over }) => over) : [],
  };
}

/** Never on one reading: what is over is looked at again after a while, and only what is over then too goes. */
async function fix(
  audit: Audit,
  options: AuditOptions,
  first: Over,
  terminal: Terminal,
): Promise<Fixed> {
  const count = first.runs.length + first.images.length;
  const waitSeconds = Number(options.wait ?? (audit.cloud === undefined ? 60 : 2));
  terminal.say(`fix        ${count} are over; looking again in ${waitSeconds} s`);
  await confirm(options, count);
  await sleep(waitSeconds * 1000);
  const again = overOf(await read(audit), audit);
  const images = again.images.filter(({ id }) => first.images.some((each) => each.id === id));
  const tell = (line: string) => {
    terminal.say(line);
  };
  const removals: Removal[] = [];
  for (const { runId, stack, regions, reason } of again.runs) {
    if (!first.runs.some((run) => run.runId === runId)) continue;
    terminal.say(`removes    run ${runId} of "${stack}": ${reason}`);
    for (const region of regions) {
      const client = { ...audit.scope.client, region };
      const scope = { stack, runId, region, client };
      const pauseMs = audit.cloud === undefined ? 5000 : 500;
      removals.push(await removeByTag(scope, { rounds: 12, pauseMs, tell }));
    }
  }
  const keptImages = await removeImages(audit.scope.client, images, tell);
  return { removals, kept: [...removals.flatMap(({ kept }) => kept), ...keptImages] };
}

/** `berth audit`: everything that berth made in the account, what it costs, and when it ends; `--fix` removes what is over. */
export async function runAudit(options: AuditOptions, terminal: Terminal): Promise<number> {
  const cloud = cloudOf(options.env);
  const scope = accountOf(options.env, process.env["AWS_REGION"] ?? defaultRegion, cloud);
  await checkCredentials(scope);
  const regions = await regionsOf(options, cloud, scope);
  // Of the emulated account only one stack's regions are asked.
  const everywhere = options.regions === undefined && (cloud === undefined || options.own === true);
  const audit = { scope, cloud, ...wantedOf(options), regions, everywhere };
  const reading = await read(audit);
  say(terminal, reading);
  const over = overOf(reading, audit);
  const isFix = options.fix === true && over.runs.length + over.images.length > 0;
  const { removals, kept } = isFix
    ? await fix(audit, options, over, terminal)
    : { removals: [], kept: [] };
  for (const { kind, id, reason } of kept) {
    terminal.say(`still there    ${kind} ${id}: ${reason}`);
  }
  const { runs, images, inventory } = reading;
  const { untaggedGpus, unanswered } = inventory;
  terminal.result({ regions, runs, images, untaggedGpus, unanswered, removals });
  const left = options.fix === true ? kept.length > 0 : over.runs.length > 0;
  return left || unanswered.length > 0 ? exitCode.leftBehind : exitCode.ok;
}
