import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/user-error.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import type { StepResult } from "../../provider/detached-step.ts";
import {
  endJob,
  jobState,
  newestStep,
  runJob,
  sendJob,
  shareCheckpoint,
  type HostRun,
  type JobFolder,
} from "./host-job.ts";
import type { Keeping } from "./kept-checkpoints.ts";

/** One host of a training over several; the first is the one that the others meet at. */
export interface TrainingNode {
  /** From 0, as ranks are. */
  readonly index: number;
  readonly host: Host;
  /** Of the job, on the host. */
  readonly folder: string;
}

/** Two or more. */
export type TrainingNodes = readonly [TrainingNode, ...TrainingNode[]];

/** How a job is run on every node. */
export interface NodesRun extends Omit<HostRun, "folder" | "node" | "onLine"> {
  /** By which the other nodes reach the first. */
  readonly masterAddress: string;
  /** Folder that all of them have, which `output` lies in. @default each has its own */
  readonly shared?: string | undefined;
  readonly onLine: (index: number, line: string) => void;
}

/** How it ended: as the first node ended, or the first that failed. */
export interface NodesResult {
  readonly node: TrainingNode;
  readonly code: number;
  readonly lines: readonly string[];
}

/** What run.sh of a node ends with when it stopped in order: all but the first write no result, and so never end with 0. */
const inOrder: readonly number[] = [0, 75];

/**
 * Brings the job to every node, unless it runs on all of them already.
 *
 * @returns whether it runs
 * @throws UserError when it runs on some of them, which is a training that has lost a node
 */
export async function sendToNodes(nodes: TrainingNodes, job: JobFolder): Promise<boolean> {
  const states = await Promise.all(nodes.map(({ host, folder }) => jobState(host, folder)));
  const running = nodes.filter((_, place) => states[place]?.running === true);
  if (running.length === nodes.length) return true;
  if (running.length > 0) {
    const numbers = running.map(({ index }) => index).join(", ");
    throw new UserError(`The job runs on some of the hosts only: ${numbers}.`, {
      hint: "It has lost the others. End it with: berth train stop, then start it again.",
    });
  }
  await Promise.all(nodes.map(({ host, folder }) => sendJob(host, job, folder)));
  return false;
}

/**
 * Sees to it that all nodes go on from the same checkpoint: the first node's newest goes to S3, where each of the others takes
 * it from when it starts.
 *
 * @throws UserError when a node lacks it and the stack keeps none in S3
 */
export async function agreeOnCheckpoint(
  [first, ...others]: TrainingNodes,
  keeping: Keeping | undefined,
): Promise<void> {
  const newest = await newestStep(first.host, first.folder);
  if (newest === 0) return;
  if (keeping !== undefined) return shareCheckpoint(first.host, first.folder, keeping);
  const steps = await Promise.all(others.map(({ host, folder }) => newestStep(host, folder)));
  const lacking = others.filter((_, place) => steps[place] !== newest);
  if (lacking.length === 0) return;
  throw new UserError(`Host 0 would go on from step ${newest}, which the others do not have.`, {
    problems: lacking.map(({ index }) => `host ${index} lacks the checkpoint`),
    hint: "Set berth:checkpointsPrefix and run berth up, so that it goes through S3; or rename the folder, and it trains from the start.",
  });
}

const endEveryMs = 1000;

/** Ends a job until it has ended: its host may not be there any more, and a run that is only about to begin hears nothing yet. */
async function endOn({ host, folder }: TrainingNode, hasEnded: () => boolean): Promise<void> {
  while (!hasEnded()) {
    await endJob(host, folder).catch(() => undefined);
    if (!hasEnded()) await sleep(endEveryMs);
  }
}

/** Runs the job on every node at once and follows it; when one fails, or cannot be reached, the others are ended too. */
export async function runOnNodes(nodes: TrainingNodes, run: NodesRun): Promise<NodesResult> {
  const { masterAddress, shared, onLine, ...rest } = run;
  let failed: NodesResult | undefined;
  const ended = new Set<TrainingNode>();
  const fail = async (node: TrainingNode, result: Pick<StepResult, "code" | "lines">) => {
    ended.add(node);
    if (failed !== undefined) return;
    failed = { node, ...result };
    const others = nodes.filter((other) => other !== node);
    await Promise.all(others.map((other) => endOn(other, () => ended.has(other))));
  };
  const follow = async (node: TrainingNode): Promise<NodesResult> => {
    try {
      const { code, lines } = await runJob(node.host, {
        ...rest,
        folder: node.folder,
        node: { count: nodes.length, rank: node.index, masterAddress, shared },
        onLine: (line) => {
          onLine(node.index, line);
        },
      });
      ended.add(node);
      if (!inOrder.includes(code)) await fail(node, { code, lines });
      return { node, code, lines };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await fail(node, { code: 1, lines: [why] });
      return { node, code: 1, lines: [why] };
    }
  };
  const [first] = await Promise.all(nodes.map(follow));
  if (first === undefined) throw new Error("a training without a node");
  return failed ?? first;
}
