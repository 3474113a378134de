import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2 from "ssh2";
import { stringify } from "yaml";
import { newEd25519Key } from "../../../../components/ed25519-key.ts";
import type { InstanceView } from "../../../../offline/cloud/ec2/instance-view.ts";
import { MetadataService } from "../../../../offline/cloud/ec2/metadata-service.ts";
import type { Machine, MachineSpec } from "../../../../offline/cloud/machines/machine.ts";

/** A private key and its OpenSSH public line. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

export const makeKey = (): KeyPair => newEd25519Key();

/** What a machine of the tests is started with, besides what a test changes. */
export interface Ground {
  readonly cloudPort: number;
  readonly folder: string;
  readonly hostKey: KeyPair;
  readonly clientKey: KeyPair;
  readonly sshPort: number;
  close(): Promise<void>;
}

const instance = {
  id: "i-0a1b2c3d4e5f60718",
  region: "eu-central-1",
  type: "g5.xlarge",
  zone: "eu-central-1a",
  imageId: "ami-1",
  mac: "02:00:00:00:00:01",
  userData: "",
  publicKeys: [],
  keyName: null,
  securityGroups: [],
  profile: { arn: "arn:aws:iam::123456789012:instance-profile/p", id: "AIPA", role: "reader" },
  lifecycle: "on-demand",
  tags: {},
  metadataTags: false,
} as unknown as InstanceView;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A stand-in for the cloud that has its metadata service, keys, and a folder for machines. */
export async function layGround(ownPort: boolean): Promise<Ground> {
  const metadata = new MetadataService();
  const server = createServer((request, response) => {
    const below = /^\/_cloud\/imds\/[^/]+\/(.*)$/.exec(request.url ?? "")?.[1];
    if (below === undefined) response.end(`the cloud has seen ${request.method} ${request.url}\n`);
    else metadata.answer({ instance, address: "10.0.0.5" }, below, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "berth-machines-"));
  return {
    cloudPort: (server.address() as AddressInfo).port,
    folder,
    hostKey: makeKey(),
    clientKey: makeKey(),
    sshPort: ownPort ? await freePort() : 22,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let machines = 0;

export function specOn(
  ground: Ground,
  changes: Partial<MachineSpec> = {},
  extra: object = {},
): MachineSpec {
  machines += 1;
  const { hostKey, clientKey, cloudPort, sshPort } = ground;
  const config = {
    ssh_pwauth: false,
    ssh_keys: {
      ed25519_private: `${hostKey.privateKey.trim()}\n`,
      ed25519_public: `${hostKey.publicKey}\n`,
    },
    ssh_authorized_keys: [clientKey.publicKey],
    ...extra,
  };
  return {
    instanceId: `i-${machines.toString(16).padStart(8, "0")}${process.pid.toString(16).padStart(9, "0")}`,
    hostname: `ip-10-0-0-${machines}`,
    userData: `#cloud-config\n${stringify(config, { lineWidth: 0 })}`,
    publicKeys: [],
    metadata: {},
    credentials: { accessKeyId: "", secretAccessKey: "", sessionToken: "" },
    cloudPort,
    sshPort,
    diskGiB: 4,
    gpu: undefined,
    folder: join(ground.folder, `machine-${machines}`),
    ...changes,
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | undefined;
  readonly out: string;
  readonly err: string;
}

/** A login whose host key is pinned: any other key is refused. */
export class Login {
  readonly client: ssh2.Client;

  private constructor(client: ssh2.Client) {
    this.client = client;
  }

  static to(machine: Machine, hostKey: string, privateKey: string): Promise<Login> {
    const pinned = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
    const client = new ssh2.Client();
    return new Promise((resolve, reject) => {
      client.once("ready", () => {
        resolve(new Login(client));
      });
      client.on("error", reject);
      client.once("close", () => {
        reject(new Error("the connection was closed"));
      });
      client.connect({
        host: machine.address,
        port: machine.sshPort,
        username: "ubuntu",
        privateKey,
        readyTimeout: 10_000,
        hostVerifier: (key: Buffer) => key.equals(pinned),
        algorithms: { serverHostKey: ["ssh-ed25519"] },
      });
    });
  }

  run(command: string, input = ""): Promise<Ended> {
    return new Promise((resolve, reject) => {
      // A machine that goes down in between answers nothing at all.
      const cut = (): void => {
        reject(new Error(`the connection was closed during ${command}`));
      };
      this.client.once("close", cut);
      this.client.exec(command, (error, channel) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        let [out, err] = ["", ""];
        let ended: { code: number | null; signal: string | undefined } = {
          code: null,
          signal: undefined,
        };
        channel.on("data", (chunk: Buffer) => (out += chunk.toString()));
        channel.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
        channel.on("exit", (code: number | null, signal?: string) => {
          ended = { code, signal };
        });
        channel.on("close", () => {
          this.client.off("close", cut);
          resolve({ ...ended, out, err });
        });
        channel.end(input);
      });
    });
  }

  /** Standard output of a command that has to succeed. */
  async output(command: string): Promise<string> {
    const { code, out, err } = await this.run(command);
    if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${err}${out}`);
    return out.trim();
  }

  close(): void {
    this.client.end();
    this.client.destroy();
  }
}

/** Whether an SSH server greets there: some hosts take connections for any address in the world. */
export function answers(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(5000, () => {
      settle(false);
    });
    socket.once("data", (chunk: Buffer) => {
      settle(chunk.toString("latin1").startsWith("SSH-"));
    });
    // A server that ends may take the connection and close it without a word.
    for (const event of ["error", "close"]) {
      socket.once(event, () => {
        settle(false);
      });
    }
  });
}

/** Waits until something holds. @throws Error when it does not in time */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  seconds = 60,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}
