import { existsSync } from "node:fs";
import { weightsFolderOf } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import { lastLines } from "../../provider/detached-step.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { ProvisioningError } from "../cli/command-error.ts";
import { findDeployment, planDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import {
  jobLog,
  jobsFolder,
  jobState,
  readJobFolder,
  runJob,
  sendJob,
  stopJob,
  type HostRun,
  type JobFolder,
} from "../finetune/host-job.ts";
import { checkpointStep, fetchKept, sayFetched } from "../finetune/fetch-kept.ts";
import {
  keptPlace,
  sendKeeper,
  syncMinutes,
  uriOf,
  type Keeping,
  type KeptPlace,
} from "../finetune/kept-checkpoints.ts";
import { progressLine } from "../finetune/progress-text.ts";
import { storedLine } from "../finetune/stored-checkpoints.ts";
import { checkHosts, prepareOutput, shareOutput } from "../finetune/shared-storage.ts";
import { runsOnSageMaker, trainOnSageMaker } from "../finetune/sagemaker-training.ts";
import {
  agreeOnCheckpoint,
  runOnNodes,
  sendToNodes,
  type TrainingNode,
  type TrainingNodes,
} from "../finetune/nodes.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { hostsOf, type OutputsOfHost } from "../stack/stack-hosts.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth train`. */
export interface TrainOptions extends StackOptions {
  /** `ec2` or `sagemaker`; without it, where the folder was started last. */
  readonly target?: string;
  readonly stopServer?: boolean;
  readonly syncMinutes?: string;
  /** Where each of several hosts writes a part of a checkpoint: a folder that all have, or a file system for a job. */
  readonly sharedStorage?: string;
  readonly hours?: string;
  readonly instances?: string;
  readonly keepWarm?: string;
  readonly image?: string;
  /** Of `fetch`: the step of another checkpoint than the newest. */
  readonly checkpoint?: string;
  readonly spot?: boolean;
  readonly onDemand?: boolean;
}

/** Before the lease ends a checkpoint has to be written and fetched. */
const secondsBeforeEnd = 15 * 60;
/** What run.sh ends with when the training can go on. */
const canGoOn = 75;

/** Where the model is for a run on the host. */
function baseOn(job: JobFolder, { plan }: BerthOutputs, terminal: Terminal): string {
  if (plan?.modelId === job.modelId) return weightsFolderOf(job.modelId);
  if (existsSync(job.baseModel) || job.baseModel.startsWith("/")) {
    throw new UserError(`The model is in ${job.baseModel}, which the host does not have.`, {
      hint: `Bring up a stack of ${job.modelId}, so that its weights are there, or write the folder with --base owner/name.`,
    });
  }
  terminal.say(`base       ${job.baseModel}, which the host fetches from Hugging Face`);
  return job.baseModel;
}

/** When the job has to stop, seconds since 1970. */
function stopAtOf({ expiresAt }: BerthOutputs): number | undefined {
  if (expiresAt === undefined || expiresAt === "") return undefined;
  return Math.floor(Date.parse(expiresAt) / 1000) - secondsBeforeEnd;
}

/** Steps as the Trainer logs them, and what else is said, but no empty lines. */
function follow(terminal: Terminal): (line: string) => void {
  return (line) => {
    if (line.trim() !== "") terminal.say(line.trimEnd());
  };
}

interface Ground {
  /** The first of several. */
  readonly host: Host;
  readonly job: JobFolder;
  /** On the host. */
  readonly folder: string;
  /** Every host of the stack; one, or the nodes of one training. */
  readonly nodes: TrainingNodes;
  readonly outputs: BerthOutputs;
  /** Where checkpoints are kept, where they are. */
  readonly kept: KeptPlace | undefined;
  /** Folder that all hosts have, for what each writes a part of. */
  readonly shared: string | undefined;
}

/** Where this run keeps its checkpoints; said either way, since a host may go at any time. */
async function keepingOf(
  { nodes, kept }: Ground,
  minutes: number,
  terminal: Terminal,
): Promise<Keeping | undefined> {
  if (kept === undefined || minutes === 0) {
    const how = kept === undefined ? "; berth:checkpointsPrefix keeps them in S3" : "";
    terminal.say(`kept       on this host alone, and gone with it${how}`);
    return undefined;
  }
  const own = kept.goesWithStack ? ", in the stack's own bucket: berth down removes it" : "";
  terminal.say(`kept       every ${minutes} min in ${uriOf(kept)}${own}`);
  const [tools = ""] = await Promise.all(nodes.map((node) => sendKeeper(node.host)));
  return { place: kept, minutes, tools };
}

/** How the files of a run that finished come here. */
function fetchHint({ folder, job, kept }: Ground, result: string, env: string): string {
  return kept === undefined
    ? `npm run --silent berth -- ssh --env ${env} -- tar -C ${folder}/output -c ${result} | tar -x`
    : `npm run berth -- train fetch ${job.folder} --env ${env}`;
}

async function fetchResult(
  job: JobFolder,
  kept: KeptPlace | undefined,
  { checkpoint }: TrainOptions,
  terminal: Terminal,
): Promise<number> {
  if (kept === undefined) {
    throw new UserError("This stack keeps no checkpoints in S3.", {
      hint: "Set berth:checkpointsPrefix and run berth up; docs/finetune.md has how files come over SSH.",
    });
  }
  return sayFetched(await fetchKept(job, kept, checkpointStep(checkpoint)), terminal);
}

async function start(ground: Ground, options: TrainOptions, terminal: Terminal): Promise<number> {
  const { host, job, folder, outputs } = ground;
  const stopAt = stopAtOf(outputs);
  if (stopAt !== undefined && stopAt < Date.now() / 1000) {
    throw new UserError("The lease ends in less than a quarter of an hour.", {
      hint: `Give it more time first: npm run berth -- extend 8h --env ${options.env}`,
    });
  }
  const minutes = syncMinutes(options.syncMinutes);
  const baseModel = baseOn(job, outputs, terminal);
  const keeping = await keepingOf(ground, minutes, terminal);
  const stopServer = options.stopServer ?? false;
  const { code, lines, place } = await runIt(
    ground,
    { baseModel, stopAt, stopServer, keeping },
    terminal,
  );
  const state = await jobState(host, folder);
  terminal.say(`progress   ${progressLine(state)}`);
  terminal.result({ code, ...state });
  if (code === 0) {
    const made = state.finished?.result ?? "adapter";
    terminal.say(`fetch it   ${fetchHint(ground, made, options.env)}`);
    return exitCode.ok;
  }
  if (code === canGoOn) return exitCode.ok;
  throw new ProvisioningError(`The training ended with ${code}${place}.`, [lastLines(lines)]);
}

/** Brings the job to every host, runs it there and follows it. */
async function runIt(
  { host, job, folder, nodes, outputs, shared }: Ground,
  run: Omit<HostRun, "folder" | "node" | "onLine">,
  terminal: Terminal,
): Promise<{ code: number; lines: readonly string[]; place: string }> {
  const say = follow(terminal);
  const masterAddress = outputs.hosts?.[0]?.privateAddress;
  if (masterAddress === undefined) {
    if ((await jobState(host, folder)).running) terminal.say("it runs already, and is followed");
    else await sendJob(host, job, folder);
    terminal.say(`running    ${folder} on ${host.name}; Ctrl-C leaves it running`);
    return { ...(await runJob(host, { ...run, folder, onLine: say })), place: "" };
  }
  if (await sendToNodes(nodes, job)) terminal.say("it runs already, and is followed");
  else if (shared === undefined) await agreeOnCheckpoint(nodes, run.keeping);
  else {
    await shareOutput(nodes, shared);
    terminal.say(`shared     ${shared}/${job.name} holds the output of all hosts`);
    await prepareOutput(nodes, { ...run, onLine: say });
  }
  terminal.say(`running    ${folder} on ${nodes.length} hosts; Ctrl-C leaves it running`);
  const onLine = (index: number, line: string) => {
    if (line.trim() !== "") say(`${index}: ${line}`);
  };
  const { node, code, lines } = await runOnNodes(nodes, { ...run, masterAddress, shared, onLine });
  return { code, lines, place: ` on host ${node.index}` };
}

const actions = ["start", "status", "logs", "stop", "fetch"];

/** `berth train start|status|logs|stop|fetch <folder>`: a folder of `berth finetune`, on the stack's host or as a job of SageMaker. */
export async function runTrain(
  [action = "", path = ""]: readonly string[],
  options: TrainOptions,
  terminal: Terminal,
): Promise<number> {
  if (!actions.includes(action)) {
    throw new UserError(`There is no "berth train ${action}".`, {
      hint: `There are ${actions.join(", ")}.`,
    });
  }
  const job = readJobFolder(path);
  if (runsOnSageMaker(job, options)) return trainOnSageMaker(action, job, { options, terminal });
  const { cloud, settings } = planDeployment(options, true);
  const opened = await findDeployment(options, cloud);
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  Object.assign(process.env, cloud?.environment ?? {});
  const kept = keptPlace(settings, outputs, job);
  if (action === "fetch") return fetchResult(job, kept, options, terminal);
  return onNodes(outputs, job, async (nodes) => {
    const [{ host, folder }] = nodes;
    if (action === "start") {
      const shared = options.sharedStorage;
      checkHosts(job, nodes.length, shared);
      return start({ host, job, folder, nodes, outputs, kept, shared }, options, terminal);
    }
    if (action === "logs") {
      terminal.say(...(await jobLog(host, folder)));
      return exitCode.ok;
    }
    if (action === "stop") await Promise.all(nodes.map((node) => stopJob(node.host, node.folder)));
    const state = await jobState(host, folder);
    terminal.say(
      action === "stop" ? "it ends after this step, with a checkpoint" : progressLine(state),
    );
    if (action === "status" && kept !== undefined) terminal.say(await storedLine(kept));
    terminal.result(state);
    return exitCode.ok;
  });
}

/** Connects to every host of the stack, and hangs up in the end. */
async function onNodes(
  outputs: BerthOutputs,
  job: JobFolder,
  work: (nodes: TrainingNodes) => Promise<number>,
): Promise<number> {
  const all = outputs.hosts === undefined ? [{ ...outputs, index: 0 }] : hostsOf(outputs);
  const connect = (each: OutputsOfHost) => {
    const { address, ...login } = sshTarget(each);
    return hostOf({ host: address, ...login }, { connectMs: 30_000 });
  };
  const reached: TrainingNode[] = [];
  const next = async (rest: readonly OutputsOfHost[]): Promise<number> => {
    const [one, ...others] = rest;
    if (one === undefined) {
      const [first, ...more] = reached;
      if (first === undefined) throw new Error("a training without a host");
      return work([first, ...more]);
    }
    return onHost(connect(one), async (host) => {
      const folder = `${await jobsFolder(host)}/${job.name}`;
      reached.push({ index: one.index, host, folder });
      return next(others);
    });
  };
  return next(all);
}
