import type {
  CostView,
  Figure,
  StackView,
} from "../../components/dashboard-page/dashboard-view.ts";
import { totalUsd, type LedgerLine } from "../../components/cost/ledger.ts";
import { timestamp } from "../../components/lease/lease.ts";
import type { AuditedRun } from "../../components/teardown/audit.ts";
import { runningCost } from "../stack/cost-lines.ts";
import { choiceView } from "./choice-view.ts";
import type { HostProbe, Reading, StackFacts, StackReadings } from "./readings.ts";
import { stackSteps } from "./step-view.ts";

/** What the account of a stack tells of it. */
export interface StackContext {
  /** The account's clock. */
  readonly now: Date;
  readonly lines: readonly LedgerLine[];
  /** Until when the lines count. */
  readonly linesAt: string | undefined;
  readonly run: AuditedRun | undefined;
}

/** A figure of a reading: what it is, how old, and what went wrong last. */
export function figure<T>(
  { value, at, problem }: Reading<T>,
  show: (value: T) => Pick<Figure, "text" | "tone">,
): Figure {
  if (value !== undefined) return { ...show(value), at, problem };
  if (problem !== undefined) return { text: "not known", tone: "mind", problem };
  return { text: "", tone: "quiet" };
}

const ended = ["gone", "terminated", "shutting-down", "Failed", "Deleting"];
const alive = ["running", "InService"];

function servingFigure({ serving }: StackReadings): Figure {
  return figure(serving, ({ noun, state, why, instances }) => {
    const count = instances === undefined ? "" : `, ${instances} x`;
    const because = why === undefined ? "" : ` (${why})`;
    const tone = alive.includes(state) ? "good" : ended.includes(state) ? "bad" : "busy";
    return {
      text: `${noun} ${state}${count}${because}`,
      tone: state === "unknown" ? "mind" : tone,
    };
  });
}

function healthText({ health }: HostProbe): Pick<Figure, "text" | "tone"> {
  if (health === undefined) return { text: "not asked yet", tone: "quiet" };
  if (health === 0) return { text: "no", tone: "bad" };
  if (health === 401) return { text: "yes, to who has its token", tone: "good" };
  if (health === 503) return { text: "not yet: it is not ready (HTTP 503)", tone: "busy" };
  return health < 300
    ? { text: "yes", tone: "good" }
    : { text: `no: its health is HTTP ${health}`, tone: "bad" };
}

function answerFigure({ host, serving, state }: StackReadings): Figure {
  if (state.value?.endpointName !== undefined) {
    return figure(serving, ({ state: word }) =>
      word === "InService"
        ? { text: "SageMaker finds it healthy", tone: "good" }
        : { text: `not yet: the endpoint is ${word}`, tone: "busy" },
    );
  }
  return figure(host, healthText);
}

function gpuFigure({ host, state, emulated: local }: StackReadings): Figure {
  if (state.value?.endpointName !== undefined) {
    return { text: "CloudWatch has an endpoint's; it is not asked", tone: "quiet" };
  }
  const emulated = local || state.value?.fakeGpu === true ? " (emulated)" : "";
  return figure(host, ({ gpus }) => {
    if (gpus.length === 0) return { text: "the driver does not answer", tone: "bad" };
    const each = gpus.map(({ utilisation }) =>
      utilisation === undefined ? "?" : `${utilisation} %`,
    );
    return { text: `${each.join(", ")}${emulated}`, tone: "quiet" };
  });
}

type Status = Pick<Figure, "text" | "tone">;

/** Whether a model server's health says that it does not answer; one that wants a token does. */
function isDown(health: number | undefined): boolean {
  return health === 0 || (health !== undefined && health >= 400 && health !== 401);
}

/** The short of a stack that nothing is being done to and that has not ended, its worst news first. */
function servedStatus(stack: StackReadings, facts: StackFacts): Status {
  if (facts.lease === undefined) return { text: "deployed", tone: "good" };
  if (!facts.ownMachine && facts.instanceId === undefined && facts.endpointName === undefined) {
    return { text: "made in part", tone: "busy" };
  }
  const health = stack.host.value?.health;
  if (health === 503) return { text: "runs, and is not ready", tone: "busy" };
  if (isDown(health)) return { text: "runs, and does not answer", tone: "bad" };
  if (facts.ownMachine && stack.host.value !== undefined) return { text: "runs", tone: "good" };
  const serving = stack.serving.value?.state;
  if (serving === undefined) return { text: "deployed", tone: "quiet" };
  return alive.includes(serving) ? { text: "runs", tone: "good" } : { text: serving, tone: "busy" };
}

/** The short of a stack, its worst news first. */
function statusOf(stack: StackReadings, facts: StackFacts, { now, run }: StackContext): Status {
  const end = facts.lease?.expiresAt ?? "";
  if (facts.pending.length > 0) return { text: "under way, or cut off", tone: "busy" };
  if (facts.resources === 0) return { text: "not deployed", tone: "quiet" };
  if (ended.includes(stack.serving.value?.state ?? "")) {
    return { text: "ended; the rest of it is there", tone: "mind" };
  }
  if (run?.verdict === "past-deadline") return { text: "past its deadline", tone: "bad" };
  if (end !== "" && Date.parse(end) < now.getTime()) {
    return { text: "its deadline is over", tone: "mind" };
  }
  return servedStatus(stack, facts);
}

function attentionOf(stack: StackReadings, facts: StackFacts, { run }: StackContext): string[] {
  const lines: string[] = [];
  if (run?.verdict === "unguarded") lines.push(`${run.reason}: run up again, or take it down`);
  if (run?.verdict === "past-deadline") lines.push(run.reason);
  if (run?.verdict === "endless") lines.push("it has no deadline: nothing but a person ends it");
  if (stack.host.value?.idleStop === true) {
    lines.push(
      "it ends itself when nobody uses it, and a look counts as use: the host was looked at once",
    );
  }
  const lease = facts.lease?.expiresAt ?? "";
  if (run !== undefined && run.expiresAt !== "" && lease !== "" && run.expiresAt !== lease) {
    lines.push(`its tags say that it ends at ${run.expiresAt}, and its state says ${lease}`);
  }
  return lines;
}

/** What the ledger has of a stack's present run. */
function ownLines({ lease }: StackFacts, { lines }: StackContext): readonly LedgerLine[] {
  return lines.filter(({ runId }) => runId === lease?.runId);
}

/** The recorded price: of the outputs, and before an `up` has ended, of the tags. */
function hourlyOf({ outputs }: StackFacts, { run }: StackContext): number | undefined {
  if (outputs.hourlyUsd !== undefined) return outputs.hourlyUsd;
  return run === undefined || run.hourlyUsd === 0 ? undefined : run.hourlyUsd;
}

function isServing({ kind }: LedgerLine): boolean {
  return kind === "instance" || kind === "endpoint";
}

function costOf(facts: StackFacts, context: StackContext, lives: boolean): CostView | undefined {
  const { now, linesAt } = context;
  const own = ownLines(facts, context);
  const counted = own.some(isServing);
  const hourlyUsd = hourlyOf(facts, context) ?? 0;
  if (counted && linesAt !== undefined) {
    const by = "launch records and the prices of then";
    return { usd: totalUsd(own), at: linesAt, hourlyUsd: lives ? hourlyUsd : 0, by };
  }
  const { startedAt, expiresAt } = facts.lease ?? {};
  const cost = runningCost({ startedAt, expiresAt, hourlyUsd, ...facts.outputs }, now);
  if (cost === undefined || hourlyUsd === 0) return undefined;
  const over = (cost.hoursLeft ?? 0) < 0 || !lives;
  const by = "the time since its start, at the recorded price";
  return { usd: cost.soFarUsd, at: timestamp(now), hourlyUsd: over ? 0 : hourlyUsd, by };
}

function targetOf({ endpointName, instanceId, lease, ownMachine }: StackFacts): string {
  if (ownMachine) return "own machine";
  if (endpointName !== undefined) return "SageMaker endpoint";
  if (instanceId !== undefined) return "GPU host";
  return lease === undefined ? "weights" : "GPU host or endpoint, not made yet";
}

const nothing: StackFacts = {
  resources: 0,
  pending: [],
  lease: undefined,
  outputs: {},
  region: undefined,
  connection: undefined,
  ownMachine: false,
  serverPort: undefined,
  endpointName: undefined,
  instanceId: undefined,
  fakeGpu: false,
};

/** The short of a stack with its age: what EC2 or SageMaker no longer tells is said to be of before. */
function statusFigure(stack: StackReadings, facts: StackFacts, context: StackContext): Figure {
  const told = figure(stack.state, () => statusOf(stack, facts, context));
  const { problem, at } = facts.ownMachine ? stack.host : stack.serving;
  if (problem === undefined || facts.pending.length > 0 || facts.lease === undefined) return told;
  if (at === undefined) return { ...told, text: "not known", tone: "mind" };
  return { ...told, text: `not known; was: ${told.text}`, tone: "mind", at };
}

/** Who and what, from the state, or else from the file. */
function identityOf({ file }: StackReadings, { outputs, lease, region }: StackFacts) {
  return {
    owner: outputs.owner ?? lease?.owner ?? file.owner ?? "",
    model: outputs.plan?.modelId ?? file.model ?? "",
    region: region ?? file.region ?? "",
  };
}

/** One stack as the dashboard shows it. */
export function stackView(stack: StackReadings, context: StackContext): StackView {
  const { name, env, emulated, state } = stack;
  const facts = state.value ?? nothing;
  const { outputs, lease = outputs } = facts;
  const lives = !ended.includes(stack.serving.value?.state ?? "");
  const launched = ownLines(facts, context).findLast(isServing)?.type;
  const instanceType = outputs.instanceType ?? launched ?? "";
  return {
    name,
    env,
    emulated,
    target: state.value === undefined ? "" : targetOf(facts),
    ...identityOf(stack, facts),
    status: statusFigure(stack, facts, context),
    serving: servingFigure(stack),
    served: stack.serving.value?.served ?? [],
    answer: answerFigure(stack),
    gpuFigure: gpuFigure(stack),
    gpus: stack.host.value?.gpus ?? [],
    instanceType,
    hourlyUsd: hourlyOf(facts, context),
    cost: costOf(facts, context, lives),
    expiresAt: lease.expiresAt,
    startedAt: lease.startedAt,
    now: timestamp(context.now),
    choice: choiceView(outputs.plan ?? stack.file.plan, instanceType),
    steps: stackSteps(facts, stack.host.value),
    attention: attentionOf(stack, facts, context),
  };
}
