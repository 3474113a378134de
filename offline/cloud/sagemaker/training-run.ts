import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeObject } from "./model-data.ts";
import { programOf } from "./serving-images.ts";
import type { TrainingParts } from "./training-jobs.ts";
import { TrainingProcess } from "./training-process.ts";
import { moveOn, type TrainingJob } from "./training-view.ts";

const lookMs = 50;

/** After SIGTERM a container has two minutes (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html). */
const graceMs = 120_000;

/** Why the containers of an attempt ended. */
type Outcome =
  | { readonly why: "exit"; readonly code: number; readonly failure: string }
  | { readonly why: "stop" | "max-runtime" | "max-wait" | "spot" | "cloud" };

interface Run {
  readonly job: TrainingJob;
  readonly parts: TrainingParts;
  /** For the files of this job's containers. */
  readonly folder: string;
  readonly log: (host: string, line: string) => void;
  attempt: number;
}

function limits({ request }: TrainingJob) {
  const { MaxRuntimeInSeconds: runtime = 86_400, MaxWaitTimeInSeconds } = request.StoppingCondition;
  return { runtimeMs: runtime * 1000, waitMs: (MaxWaitTimeInSeconds ?? Infinity) * 1000 };
}

/** What ends a job from outside now; undefined when nothing does. */
function endedBy({ job, parts }: Run, ranMs: number): Outcome | undefined {
  if (job.abort.signal.aborted) {
    return { why: job.abort.signal.reason === "cloud" ? "cloud" : "stop" };
  }
  const { runtimeMs, waitMs } = limits(job);
  if (ranMs >= runtimeMs) return { why: "max-runtime" };
  const since = parts.clock.now().getTime() - job.created.getTime();
  return since >= waitMs ? { why: "max-wait" } : undefined;
}

function isInterrupted({ job, parts }: Run): boolean {
  const { request } = job;
  if (request.EnableManagedSpotTraining !== true) return false;
  const { InstanceType: instanceType } = request.ResourceConfig;
  const operations = ["InterruptTraining"];
  return parts.faults.take({ service: "sagemaker", operations, instanceType }) !== undefined;
}

/** Waits for capacity: spot jobs as long as they may, others for one refusal. */
async function provision(run: Run): Promise<Outcome | undefined> {
  const { job, parts } = run;
  const { InstanceType: instanceType } = job.request.ResourceConfig;
  const operations = ["ProvisionTraining"];
  for (;;) {
    const over = endedBy(run, job.trainedSeconds * 1000);
    if (over !== undefined) return over;
    const fault = parts.faults.take({ service: "sagemaker", operations, instanceType });
    if (fault?.kind !== "insufficient-capacity") return undefined;
    if (job.request.EnableManagedSpotTraining !== true) {
      const failure =
        "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.";
      return { why: "exit", code: 1, failure };
    }
    await sleep(lookMs);
  }
}

/** Names of a job's hosts. They are loopback addresses, where each finds the others as `algo-1` finds `algo-2`. */
function hostsOf({ request }: TrainingJob): readonly string[] {
  const { InstanceCount = 1 } = request.ResourceConfig;
  return Array.from({ length: InstanceCount }, (_, index) => `127.0.0.${index + 1}`);
}

async function startContainers(run: Run): Promise<readonly TrainingProcess[]> {
  const { job, parts, folder, log } = run;
  const { request } = job;
  const { TrainingImage = "" } = request.AlgorithmSpecification;
  const command = programOf(TrainingImage, parts.images);
  if (command === undefined) {
    throw new Error(
      `ClientError: Cannot pull image ${TrainingImage}: the emulated AWS has no program that stands for it.`,
    );
  }
  const hosts = hostsOf(job);
  return Promise.all(
    hosts.map((host, index) =>
      TrainingProcess.start({
        ...{ request, command, hosts, host, store: parts.store },
        fileSystems: join(parts.folder, "file-systems"),
        environment: { ...parts.environment, AWS_DEFAULT_REGION: job.region },
        folder: join(folder, `${run.attempt}-${index + 1}`),
        log: (line) => {
          log(`algo-${index + 1}`, line);
        },
      }),
    ),
  );
}

/** Watches the containers of one attempt until they end, or something ends them. */
async function watch(run: Run, containers: readonly TrainingProcess[]): Promise<Outcome> {
  const { job, parts } = run;
  const begun = parts.clock.now().getTime();
  const before = job.trainedSeconds;
  const codes = Promise.all(containers.map(({ ended }) => ended));
  let all: readonly number[] | undefined;
  void codes.then((found) => (all = found));
  // One container that fails ends the others with it.
  const failed = new AbortController();
  for (const { ended } of containers) {
    void ended.then((code) => {
      if (code !== 0) failed.abort();
    });
  }
  let outcome: Outcome | undefined;
  while (outcome === undefined && all === undefined && !failed.signal.aborted) {
    await sleep(lookMs);
    job.trainedSeconds = before + (parts.clock.now().getTime() - begun) / 1000;
    outcome = endedBy(run, job.trainedSeconds * 1000);
    if (outcome === undefined && isInterrupted(run)) outcome = { why: "spot" };
  }
  if (outcome !== undefined && outcome.why !== "cloud") {
    for (const each of containers) each.terminate();
    await Promise.race([codes, sleep(graceMs, undefined, { ref: false })]);
  }
  for (const each of containers) await each.kill();
  if (outcome !== undefined) return outcome;
  const code = (await codes).find((each) => each !== 0) ?? 0;
  const said = (await Promise.all(containers.map((each) => each.failure()))).join("\n").trim();
  const failure = `AlgorithmError: ${said === "" ? "" : `${said}, `}exit code: ${code}`;
  return { why: "exit", code, failure };
}

/** Packs what the first container left in a folder into an object; undefined when it left nothing. */
async function keep({ job, parts, folder, attempt }: Run, below: string, name: string) {
  const from = join(folder, `${attempt}-1`, below);
  if (readdirSync(from).length === 0) return undefined;
  const archive = join(folder, name);
  spawnSync("tar", ["-czf", archive, "-C", from, "."]);
  const base = job.request.OutputDataConfig.S3OutputPath.replace(/\/+$/, "");
  const uri = `${base}/${job.name}/output/${name}`;
  await writeObject(parts.store, uri, await readFile(archive));
  return uri;
}

async function attempt(run: Run): Promise<Outcome> {
  const { job, parts } = run;
  const scarce = await provision(run);
  if (scarce !== undefined) return scarce;
  run.attempt += 1;
  moveOn(job, parts.clock.now(), "Downloading", "Downloading input data");
  const containers = await startContainers(run);
  job.started ??= parts.clock.now();
  moveOn(
    job,
    parts.clock.now(),
    "Training",
    "Training image download completed. Training in progress.",
  );
  return watch(run, containers);
}

/** Ends a job in the state that its outcome has; one that was ended from outside is Stopped and says why in its last step. */
async function finish(run: Run, outcome: Outcome): Promise<void> {
  const { job, parts } = run;
  const now = parts.clock.now();
  if (outcome.why === "exit" && outcome.code !== 0) {
    job.failure = outcome.failure;
    moveOn(job, now, "Failed", "Training job failed");
    Object.assign(job, { status: "Failed", ended: now });
    return;
  }
  if (run.attempt > 0) {
    moveOn(job, now, "Uploading", "Uploading generated training model");
    const artifacts = await keep(run, "model", "model.tar.gz");
    if (artifacts !== undefined) job.artifacts = artifacts;
    await keep(run, "output/data", "output.tar.gz");
  }
  const ends = {
    exit: ["Completed", "Completed", "Training job completed"],
    stop: ["Stopped", "Stopped", "Training job stopped"],
    cloud: ["Stopped", "Stopped", "Training job stopped"],
    spot: ["Stopped", "Stopped", "Training job stopped"],
    "max-runtime": [
      "Stopped",
      "MaxRuntimeExceeded",
      "Training job runtime exceeded MaxRuntimeInSeconds",
    ],
    "max-wait": [
      "Stopped",
      "MaxWaitTimeExceeded",
      "Training job run time exceeded MaxWaitTimeInSeconds",
    ],
  } as const;
  const [status, secondary, message] = ends[outcome.why];
  moveOn(job, parts.clock.now(), secondary, message);
  const ended = parts.clock.now();
  Object.assign(job, { status, ended });
  const { KeepAlivePeriodInSeconds: seconds = 0 } = job.request.ResourceConfig;
  if (status === "Completed" && seconds > 0) {
    job.warm = { until: new Date(ended.getTime() + seconds * 1000), status: "Available" };
  }
}

/** Brings a job about, from its first instance to its end; one whose spot capacity is taken back begins again. */
export async function runTraining(
  job: TrainingJob,
  parts: TrainingParts,
  folder: string,
): Promise<void> {
  const run: Run = { job, parts, folder, log: logOf(job, parts), attempt: 0 };
  try {
    for (;;) {
      const outcome = await attempt(run);
      if (outcome.why !== "spot") {
        await finish(run, outcome);
        return;
      }
      moveOn(job, parts.clock.now(), "Interrupted", "Training job was interrupted");
      moveOn(job, parts.clock.now(), "Starting", "Launching requested ML instances");
    }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    await finish(run, { why: "exit", code: 1, failure });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function logOf({ region, name, created }: TrainingJob, { moto }: TrainingParts): Run["log"] {
  const group = "/aws/sagemaker/TrainingJobs";
  let writing: Promise<unknown> = Promise.resolve();
  return (host, line) => {
    const stream = `${name}/${host}-${Math.floor(created.getTime() / 1000)}`;
    writing = writing
      .then(() => moto.ask("log", { region, group, stream, lines: [line] }))
      .catch(() => undefined);
  };
}
