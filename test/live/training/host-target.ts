import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import { newEd25519Key } from "../../../components/ed25519-key.ts";
import type { Cloud } from "../../../offline/cloud/cloud.ts";
import { motoPython } from "../../../offline/cloud/moto/environment.ts";
import { hostOf } from "../../../provider/connection.ts";
import type { Host } from "../../../provider/adapters/ssh.ts";
import { fetchKept } from "../../../scripts/finetune/fetch-kept.ts";
import {
  jobsFolder,
  jobState,
  readJobFolder,
  runJob,
  sendJob,
  stopJob,
} from "../../../scripts/finetune/host-job.ts";
import { sendKeeper, type KeptPlace } from "../../../scripts/finetune/kept-checkpoints.ts";
import type { TrainingTarget } from "../../contracts/training.ts";
import {
  dlami,
  instanceOf,
  makeProfile,
  seededUserData,
  settingsFor,
  until,
} from "../../offline/cloud/account.ts";
import { writeStandIn } from "./stand-in.ts";

interface Running {
  readonly id: string;
  readonly host: Host;
  readonly folder: string;
  readonly tools: string;
}

/** A GPU host of the emulated cloud, and another when that is lost; its checkpoints are kept in S3. */
export class HostTarget implements TrainingTarget {
  readonly #cloud: Cloud;
  readonly #name: string;
  readonly #place: KeptPlace;
  readonly #login = newEd25519Key();
  readonly #local = mkdtempSync(join(tmpdir(), "berth-host-target-"));
  readonly #client: ec2.EC2Client;
  #running: Running | undefined;

  constructor(cloud: Cloud, bucket: string, name = "on-host") {
    this.#cloud = cloud;
    this.#name = name;
    const { region, endpoint } = settingsFor(cloud);
    const prefix = `training/checkpoints/${name}/`;
    this.#place = { bucket, prefix, region, endpoint, goesWithStack: false };
    this.#client = new ec2.EC2Client(settingsFor(cloud));
    writeStandIn(join(this.#local, this.#name));
  }

  get #job() {
    return readJobFolder(join(this.#local, this.#name));
  }

  /** What a host needs of the account; once. */
  async prepare(): Promise<void> {
    await makeProfile(this.#cloud, `trainer-${this.#name}`);
    const PublicKeyMaterial = Buffer.from(this.#login.publicKey);
    await this.#client.send(
      new ec2.ImportKeyPairCommand({ KeyName: this.#name, PublicKeyMaterial }),
    );
    process.env["BERTH_SSH_PRIVATE_KEY"] = this.#login.privateKey;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });
    process.env["AWS_ENDPOINT_URL_S3"] = this.#cloud.endpoint;
  }

  async run(): Promise<string> {
    const { host, folder, tools } = (this.#running ??= await this.#launch());
    await sendJob(host, this.#job, folder);
    const words = { folder, baseModel: "owner/tiny", stopAt: undefined, stopServer: false };
    const keeping = { place: this.#place, minutes: 0.02, tools };
    const { lines } = await runJob(host, { ...words, keeping, onLine: () => undefined });
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
    return (await fetchKept(this.#job, this.#place)).folder;
  }

  async lose(): Promise<void> {
    const { id, host } = this.#running ?? {};
    if (id === undefined) return;
    await this.#client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    host?.close();
    this.#running = undefined;
  }

  close(): void {
    this.#running?.host.close();
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"]) {
      Reflect.deleteProperty(process.env, name);
    }
    rmSync(this.#local, { recursive: true, force: true });
  }

  /** A new spot host with the packages in place, so that nothing is fetched. */
  async #launch(): Promise<Running> {
    const seeded = newEd25519Key();
    const run = await this.#client.send(
      new ec2.RunInstancesCommand({
        ImageId: await dlami(this.#cloud),
        InstanceType: "g6.xlarge",
        KeyName: this.#name,
        IamInstanceProfile: { Name: `trainer-${this.#name}` },
        UserData: Buffer.from(seededUserData(seeded)).toString("base64"),
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    const id = run.Instances![0]!.InstanceId!;
    const view = () => instanceOf(this.#client, id);
    await until(async () => (await view()).State?.Name === "running", 60);
    const address = (await view()).PublicIpAddress!;
    const port = this.#cloud.machineSshPort;
    const where = { host: address, port, user: "ubuntu", hostKey: seeded.publicKey };
    const host = hostOf(where, { connectMs: 30_000 });
    const tools = await sendKeeper(host);
    const folder = `${await jobsFolder(host)}/${this.#name}`;
    await host.output('mkdir -p "$1/.venv"; : >"$1/.venv/pinned.txt"', [folder]);
    const python = `#!/bin/sh\nexec ${await motoPython(() => undefined)} "$@"\n`;
    await host.put(python, `${tools}/.venv/bin/python`, "755");
    await host.output('cp "$1/requirements.txt" "$1/.venv/pinned.txt"', [tools]);
    return { id, host, folder, tools };
  }
}
