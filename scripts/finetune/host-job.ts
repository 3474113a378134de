import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { z } from "zod";
import { hostDataFolder } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import { shellQuote, type Host } from "../../provider/adapters/ssh.ts";
import { ensureFolder } from "../../provider/connection.ts";
import { runDetached, type StepResult } from "../../provider/detached-step.ts";
import { ensurePython } from "../../provider/ensure-python.ts";
import { repository } from "../adapters/repository.ts";
import { uriOf, type Keeping } from "./kept-checkpoints.ts";
import { parsedJson } from "./parsed-json.ts";

/** What a folder of a fine-tuning says of itself. */
const jobSchema = z.looseObject({
  schemaVersion: z.literal(1),
  modelId: z.string(),
  baseModel: z.string(),
  gated: z.boolean(),
  machine: z.looseObject({ nodes: z.int().positive().optional() }).optional(),
  workload: z.looseObject({ sharding: z.string().optional() }).optional(),
});

/** A folder that `berth finetune` wrote, on this machine. */
export interface JobFolder extends z.infer<typeof jobSchema> {
  readonly folder: string;
  /** Whether Megatron-LM trains it, and not the Trainer. */
  readonly megatron: boolean;
  /** Of the folder; names it on the host. */
  readonly name: string;
}

/** @throws UserError when the folder is none */
export function readJobFolder(path: string): JobFolder {
  const folder = resolve(path);
  const megatron = existsSync(join(folder, "megatron.yaml"));
  const programs = megatron
    ? ["train_megatron.py", "convert_megatron.py"]
    : ["train.py", "training.yaml"];
  const missing = ["job.json", "run.sh", ...programs, "requirements.txt"].filter(
    (name) => !existsSync(join(folder, name)),
  );
  if (missing.length > 0) {
    throw new UserError(`${path} is no folder of a fine-tuning.`, {
      problems: missing.map((name) => `${name} is missing`),
      hint: "Write one with: npm run berth -- finetune <model> --data train.jsonl",
    });
  }
  const text = readFileSync(join(folder, "job.json"), "utf8");
  const { data, error } = jobSchema.safeParse(parsedJson(text));
  if (data === undefined) {
    throw new UserError(`${path}/job.json is not as berth writes it.`, {
      problems: [z.prettifyError(error)],
      hint: "Write the folder again with --force.",
    });
  }
  return { ...data, folder, megatron, name: basename(folder).replaceAll(/[^\w.-]/g, "-") };
}

/** Whether each of several hosts writes a part of every checkpoint, so that none is whole without storage that they share. */
export function writesParts({ megatron, workload }: Pick<JobFolder, "megatron" | "workload">) {
  return megatron || workload?.sharding?.startsWith("zero") === true;
}

/** A line of `output/progress.jsonl`. */
const progressSchema = z.looseObject({
  step: z.number(),
  steps: z.number(),
  time: z.number(),
  /** null where it is no number any more. */
  loss: z.number().nullable().optional(),
  checkpoint: z.number().optional(),
});

/** `output/finished.json`: which folder of output is the result. */
const finishedSchema = z.looseObject({ result: z.string() });

/** How a fine-tuning on a host fares. */
export interface JobState {
  readonly running: boolean;
  /** Its last steps, oldest first. */
  readonly progress: readonly z.infer<typeof progressSchema>[];
  /** What finished.json says; undefined before the end. */
  readonly finished: z.infer<typeof finishedSchema> | undefined;
}

/** What is run on hosts for a job, by its first word. */
export const jobScript = readFileSync(join(repository, "scripts/finetune/remote-job.sh"), "utf8");
/** Longer than any lease; the lease's own end is `STOP_AT`. */
export const timeoutSeconds = 90 * 24 * 3600;
/** A large model that is fetched from a hub says nothing meanwhile. */
export const silenceSeconds = 6 * 3600;

/** Where jobs are on a host. */
export async function jobsFolder(host: Host): Promise<string> {
  return ensureFolder(host, `${hostDataFolder}/jobs`);
}

/** The steps among lines of `output/progress.jsonl` and others. */
export function parseProgress(lines: readonly string[]): JobState["progress"] {
  return lines.flatMap((line) => {
    const { data } = progressSchema.safeParse(parsedJson(line));
    return data === undefined ? [] : [data];
  });
}

/** What the job is at. */
export async function jobState(host: Host, folder: string): Promise<JobState> {
  const [state, ...lines] = (await host.output(jobScript, ["state", folder])).trim().split("\n");
  const entries = parseProgress(lines);
  const finished = finishedSchema.safeParse(parsedJson(lines.at(-1) ?? "")).data;
  return { running: state === "running", progress: entries, finished };
}

/** Brings the job's files to the host; what it has made there stays. */
export async function sendJob(host: Host, job: JobFolder, folder: string): Promise<void> {
  const left = ["./output", "./.venv", "./data/*.part"].map((path) => `--exclude=${path}`);
  const words = ["bash", "-c", jobScript, "job", "receive", folder];
  const result = await host.run(words.map(shellQuote).join(" "), () => {
    const tar = spawn("tar", ["-czf", "-", "-C", job.folder, ...left, "."], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    // Node throws away what a child has written and nobody has begun to read when the child ends.
    const archive = tar.stdout.pipe(new PassThrough());
    return { timeoutMs: 6 * 3600 * 1000, stdin: archive };
  });
  if (result.code === 0) return;
  throw new UserError(`${job.folder} could not be brought to ${host.name}.`, {
    problems: [result.stderr.trim()],
    hint: "Run the same command again.",
  });
}

/** How a job is run on a host. */
export interface HostRun {
  /** On the host. */
  readonly folder: string;
  /** Repository, or folder on the host. */
  readonly baseModel: string;
  /** When it has to end, seconds since 1970; undefined lets it run. */
  readonly stopAt: number | undefined;
  readonly stopServer: boolean;
  /** Where its checkpoints are kept. @default on the host alone */
  readonly keeping?: Keeping | undefined;
  /** Which of several hosts it is, of one training over all of them. @default the only one */
  readonly node?:
    | {
        readonly count: number;
        readonly rank: number;
        readonly masterAddress: string;
        /** Folder that all of them have, which `output` lies in. @default each has its own */
        readonly shared?: string | undefined;
      }
    | undefined;
  /** Whether Megatron-LM trains it. @default false */
  readonly megatron?: boolean | undefined;
  readonly onLine: (line: string) => void;
}

/** What the packages of a training are made for (test/live/python-pins.test.ts asks PyPI), and those of Megatron-LM. */
const trainingPythons = ["3.11", "3.12", "3.13", "3.14"];
const megatronPythons = ["3.12"];

/** What the script is told of them. */
export function keepingWords({ place, minutes, tools }: Keeping): readonly string[] {
  return [uriOf(place), place.region, place.endpoint ?? "", String(minutes), tools];
}

/** The script with the Python that makes the training's environment on a host, which is brought where the host has none that fits. */
export async function scriptOn(
  host: Host,
  { megatron, onLine }: Pick<HostRun, "megatron" | "onLine">,
): Promise<string> {
  const versions = megatron === true ? megatronPythons : trainingPythons;
  const need = { who: "the training", versions };
  const python = await ensurePython(host, { need, dataFolder: hostDataFolder, onLine });
  return `python=${shellQuote(python)}\n${jobScript}`;
}

/** Runs the job detached and follows it; another call with the same words finds it running and follows on. */
export async function runJob(host: Host, run: HostRun): Promise<StepResult> {
  const { folder, baseModel, stopAt, stopServer, keeping, node, onLine } = run;
  const words = [folder, baseModel, String(stopAt ?? ""), stopServer ? "stop" : "keep"];
  const kept = keeping === undefined ? [] : keepingWords(keeping);
  const nodeWords =
    node === undefined
      ? []
      : [String(node.count), String(node.rank), node.masterAddress, node.shared ?? ""];
  // The node's words come after those of keeping, so that these have to be there, if empty.
  const absent = Array.from({ length: node === undefined ? 0 : 5 - kept.length }, () => "");
  return runDetached(host, {
    name: "train",
    script: await scriptOn(host, run),
    args: ["run", ...words, ...kept, ...absent, ...nodeWords],
    folder: `${await ensureFolder(host, hostDataFolder)}/steps`,
    timeoutSeconds,
    silenceSeconds,
    onLine,
  });
}

/** Asks a job to end after its step, with a checkpoint. */
export async function stopJob(host: Host, folder: string): Promise<void> {
  await host.output(jobScript, ["stop", folder]);
}

/** The end of what the job's last run said. */
export async function jobLog(host: Host, folder: string): Promise<readonly string[]> {
  const steps = `${await ensureFolder(host, hostDataFolder)}/steps`;
  return (await host.output(jobScript, ["logs", folder, steps])).trimEnd().split("\n");
}

/** Ends a job at once, without a checkpoint: what is left of it waits for hosts that are gone. */
export async function endJob(host: Host, folder: string): Promise<void> {
  await host.output(jobScript, ["end", folder]);
}

/** The step of the newest whole checkpoint on the host; 0 without one. */
export async function newestStep(host: Host, folder: string): Promise<number> {
  return Number(await host.output(jobScript, ["newest", folder]));
}

/** Sends the newest checkpoint of a host to S3 now. @throws UserError when it did not get there */
export async function shareCheckpoint(host: Host, folder: string, keeping: Keeping): Promise<void> {
  const { code, lines } = await runDetached(host, {
    name: "share",
    script: await scriptOn(host, { onLine: () => undefined }),
    args: ["share", folder, "", "", "", ...keepingWords(keeping)],
    folder: `${await ensureFolder(host, hostDataFolder)}/steps`,
    timeoutSeconds,
    silenceSeconds,
  });
  if (code === 0) return;
  throw new UserError(`The checkpoint of ${host.name} did not reach ${uriOf(keeping.place)}.`, {
    problems: lines.slice(-3),
    hint: "Put that right and run the same command again.",
  });
}
