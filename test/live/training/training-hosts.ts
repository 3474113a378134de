import * as ec2 from "@aws-sdk/client-ec2";
import { newEd25519Key } from "../../../components/ed25519-key.ts";
import type { Cloud } from "../../../offline/cloud/cloud.ts";
import { motoPython } from "../../../offline/cloud/moto/environment.ts";
import type { Host } from "../../../provider/adapters/ssh.ts";
import { hostOf } from "../../../provider/connection.ts";
import type { StepResult } from "../../../provider/detached-step.ts";
import { jobsFolder, runJob, sendJob, type JobFolder } from "../../../scripts/finetune/host-job.ts";
import { sendKeeper, type KeptPlace } from "../../../scripts/finetune/kept-checkpoints.ts";
import {
  dlami,
  instanceOf,
  makeProfile,
  seededUserData,
  settingsFor,
  until,
} from "../../offline/cloud/account.ts";

/** A host that is up, with what it is called and where its job and its tools are. */
export interface TrainingHost {
  readonly id: string;
  readonly host: Host;
  readonly folder: string;
  readonly tools: string;
}

const ownEnvironment = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"];

/** GPU hosts of the emulated cloud for one job, with its packages in place, so that nothing is fetched. */
export class TrainingHosts {
  /** Where a bucket of the cloud keeps what the job makes. */
  readonly place: KeptPlace;
  readonly #cloud: Cloud;
  readonly #name: string;
  readonly #login = newEd25519Key();
  readonly #client: ec2.EC2Client;
  readonly #open = new Set<Host>();

  /** @param name of the job's folder */
  constructor(cloud: Cloud, bucket: string, name: string) {
    this.#cloud = cloud;
    this.#name = name;
    this.#client = new ec2.EC2Client(settingsFor(cloud));
    const { region, endpoint } = settingsFor(cloud);
    const prefix = `training/checkpoints/${name}/`;
    this.place = { bucket, prefix, region, endpoint, goesWithStack: false };
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

  async launch(): Promise<TrainingHost> {
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
    await this.#reached(id, "running");
    const address = (await instanceOf(this.#client, id)).PublicIpAddress!;
    const port = this.#cloud.machineSshPort;
    const where = { host: address, port, user: "ubuntu", hostKey: seeded.publicKey };
    const host = hostOf(where, { connectMs: 30_000 });
    this.#open.add(host);
    const tools = await sendKeeper(host);
    const folder = `${await jobsFolder(host)}/${this.#name}`;
    await host.output('mkdir -p "$1/.venv"; : >"$1/.venv/pinned.txt"', [folder]);
    const python = `#!/bin/sh\nexec ${await motoPython(() => undefined)} "$@"\n`;
    await host.put(python, `${tools}/.venv/bin/python`, "755");
    await host.output('cp "$1/requirements.txt" "$1/.venv/pinned.txt"', [tools]);
    return { id, host, folder, tools };
  }

  /** Brings the job there, runs it and follows it. */
  async train({ host, folder, tools }: TrainingHost, job: JobFolder): Promise<StepResult> {
    await sendJob(host, job, folder);
    const words = { folder, baseModel: "owner/tiny", stopAt: undefined, stopServer: false };
    const keeping = { place: this.place, minutes: 0.01, tools };
    return runJob(host, { ...words, keeping, onLine: () => undefined });
  }

  /** Terminates a host, as AWS does with what it takes back. */
  async end({ id, host }: TrainingHost): Promise<void> {
    await this.#client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    host.close();
    this.#open.delete(host);
    await this.#reached(id, "terminated");
  }

  close(): void {
    for (const host of this.#open) host.close();
    for (const name of ownEnvironment) Reflect.deleteProperty(process.env, name);
  }

  async #reached(id: string, state: string): Promise<void> {
    await until(async () => (await instanceOf(this.#client, id)).State?.Name === state, 60);
  }
}
