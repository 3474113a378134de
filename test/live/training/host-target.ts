import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cloud } from "../../../offline/cloud/cloud.ts";
import { fetchKept } from "../../../scripts/finetune/fetch-kept.ts";
import { jobState, stopJob } from "../../../scripts/finetune/host-job.ts";
import type { TrainingTarget } from "../../contracts/training.ts";
import { writeStandIn } from "./stand-in.ts";
import { TrainingHosts, type TrainingHost } from "./training-hosts.ts";

/** A GPU host of the emulated cloud, and another when that is lost; its checkpoints are kept in S3. */
export class HostTarget implements TrainingTarget {
  readonly #local = mkdtempSync(join(tmpdir(), "berth-host-target-"));
  readonly #hosts: TrainingHosts;
  readonly #job;
  #running: TrainingHost | undefined;

  constructor(cloud: Cloud, bucket: string, name = "on-host") {
    this.#hosts = new TrainingHosts(cloud, bucket, name);
    this.#job = writeStandIn(join(this.#local, name));
  }

  /** What a host needs of the account; once. */
  prepare(): Promise<void> {
    return this.#hosts.prepare();
  }

  async run(): Promise<string> {
    this.#running ??= await this.#hosts.launch();
    const { lines } = await this.#hosts.train(this.#running, this.#job);
    return lines.join("\n");
  }

  async state() {
    const running = this.#running;
    if (running === undefined) return { progress: [], finished: undefined };
    return jobState(running.host, running.folder);
  }

  async stop(): Promise<void> {
    if (this.#running !== undefined) await stopJob(this.#running.host, this.#running.folder);
  }

  async fetch(): Promise<string> {
    return (await fetchKept(this.#job, this.#hosts.place)).folder;
  }

  async lose(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) await this.#hosts.end(running);
  }

  close(): void {
    this.#hosts.close();
    rmSync(this.#local, { recursive: true, force: true });
  }
}
