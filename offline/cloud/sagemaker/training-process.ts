import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { endProcesses, machineMark, startGuard } from "../machines/machine-processes.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { copyObjects } from "./model-data.ts";
import type { TrainingRequest } from "./training-view.ts";

/** What one container of a job is started with. */
export interface TrainingStart {
  readonly request: TrainingRequest;
  /** What stands for the image; the words of the entry point come after it. */
  readonly command: readonly string[];
  /** Stands for `/opt/ml`. */
  readonly folder: string;
  readonly hosts: readonly string[];
  readonly host: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly store: ObjectStore;
  /** Folder that the account's file systems lie in, by their ids. */
  readonly fileSystems: string;
  readonly log: (line: string) => void;
}

/** Room that FailureReason gives to what a container says of its failure (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html). */
const failureCharacters = 1024;

/**
 * A container of a training job, as a process of this machine that keeps to SageMaker's contract
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html). Its `/opt/ml` is a
 * folder, which `SAGEMAKER_BASE_DIR` names; the words of the entry point that lie there are changed to it.
 */
export class TrainingProcess {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #ended: Promise<number>;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    const guard = startGuard(folder, folder);
    this.#ended = once(child, "exit").then(async ([code]) => {
      // What a container's first process leaves running ends with it.
      await endProcesses(folder);
      guard.kill("SIGKILL");
      return (code as number | null) ?? 137;
    });
  }

  static async start(start: TrainingStart): Promise<TrainingProcess> {
    const { request, folder, environment, log } = start;
    await layOut(start);
    const { ContainerEntrypoint = [], ContainerArguments = [] } = request.AlgorithmSpecification;
    const words = [...ContainerEntrypoint, ...ContainerArguments].map((word) =>
      word.replace(/^\/opt\/ml(?=\/|$)/, folder),
    );
    const [program = "false", ...rest] = [...start.command, ...words];
    const child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        ...environment,
        ...request.Environment,
        TRAINING_JOB_NAME: request.TrainingJobName,
        SAGEMAKER_BASE_DIR: folder,
        TMPDIR: join(folder, "tmp"),
        [machineMark]: folder,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", log);
    }
    return new TrainingProcess(child, folder);
  }

  /** Its exit code, once it has ended. */
  get ended(): Promise<number> {
    return this.#ended;
  }

  /** What it wrote of its failure; empty when it wrote nothing. */
  async failure(): Promise<string> {
    const file = join(this.#folder, "output/failure");
    const text = existsSync(file) ? await readFile(file, "utf8") : "";
    return text.slice(0, failureCharacters).trim();
  }

  terminate(): void {
    if (this.#child.exitCode === null) this.#child.kill("SIGTERM");
  }

  async kill(): Promise<void> {
    await endProcesses(this.#folder);
    await this.#ended;
  }
}

async function layOut(start: TrainingStart): Promise<void> {
  const { request, folder, hosts, host, store, fileSystems } = start;
  for (const below of ["input/config", "model", "output/data", "tmp"]) {
    await mkdir(join(folder, below), { recursive: true });
  }
  for (const { ChannelName, DataSource } of request.InputDataConfig ?? []) {
    const target = join(folder, "input/data", ChannelName);
    const { FileSystemDataSource: mounted } = DataSource;
    if (mounted !== undefined) {
      const path = join(fileSystems, mounted.FileSystemId, mounted.DirectoryPath);
      await mkdir(path, { recursive: true });
      await mkdir(dirname(target), { recursive: true });
      await symlink(path, target);
      continue;
    }
    await copyObjects(store, DataSource.S3DataSource?.S3Uri ?? "", target);
  }
  const { InstanceType } = request.ResourceConfig;
  const resources = {
    current_host: host,
    current_instance_type: InstanceType,
    hosts,
    network_interface_name: "lo",
  };
  await writeFile(join(folder, "input/config/resourceconfig.json"), JSON.stringify(resources));
}
