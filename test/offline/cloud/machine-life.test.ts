import assert from "node:assert/strict";
import { once } from "node:events";
import * as ec2 from "@aws-sdk/client-ec2";
import ssh2 from "ssh2";
import { newEd25519Key } from "../../../components/ed25519-key.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { dlami, instanceOf, makeProfile, seededUserData, settingsFor, until } from "./account.ts";

/** Runs a command on a machine and returns what it wrote. */
async function runOver(
  machine: { host: string; port: number; privateKey: string; hostKey: Buffer },
  command: string,
): Promise<string> {
  const client = new ssh2.Client();
  const { host, port, privateKey } = machine;
  client.connect({
    host,
    port,
    privateKey,
    username: "ubuntu",
    hostVerifier: (key: Buffer) => key.equals(machine.hostKey),
  });
  await once(client, "ready");
  try {
    return await new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        let text = "";
        channel.on("data", (piece: Buffer) => (text += piece.toString()));
        channel.on("close", () => {
          resolve(text.trim());
        });
      });
    });
  } finally {
    client.end();
  }
}

describe("an instance as a machine of the process tier", () => {
  let cloud: Cloud;

  before(async () => {
    cloud = await startCloud({ tier: "process" });
  });

  after(async () => {
    await cloud.stop();
  });

  it("boots with its host key, shows its GPU and role, and its power-off ends the instance", async () => {
    const settings = settingsFor(cloud);
    const client = new ec2.EC2Client(settings);
    const login = newEd25519Key();
    const seeded = newEd25519Key();
    await makeProfile(cloud, "reader");
    await client.send(
      new ec2.ImportKeyPairCommand({
        KeyName: "k",
        PublicKeyMaterial: Buffer.from(login.publicKey),
      }),
    );
    const run = await client.send(
      new ec2.RunInstancesCommand({
        ImageId: await dlami(cloud),
        InstanceType: "g6.xlarge",
        KeyName: "k",
        IamInstanceProfile: { Name: "reader" },
        InstanceInitiatedShutdownBehavior: "terminate",
        UserData: Buffer.from(seededUserData(seeded)).toString("base64"),
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    const id = run.Instances![0]!.InstanceId!;
    await until(async () => (await instanceOf(client, id)).State?.Name === "running");
    const parsed = ssh2.utils.parseKey(seeded.publicKey);
    assert.ok(!(parsed instanceof Error));
    const machine = {
      host: (await instanceOf(client, id)).PublicIpAddress!,
      port: cloud.machineSshPort,
      privateKey: login.privateKey,
      hostKey: parsed.getPublicSSH(),
    };
    const gpu = await runOver(machine, "nvidia-smi --query-gpu=name --format=csv,noheader");
    assert.match(gpu, /L4/);
    const role = await runOver(
      machine,
      `node -e '
        const base = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT + "/latest";
        const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
        const token = await (await fetch(base + "/api/token", { method: "PUT", headers: ttl })).text();
        const headers = { "x-aws-ec2-metadata-token": token };
        console.log(await (await fetch(base + "/meta-data/iam/security-credentials/", { headers })).text());
      ' --input-type=module`,
    );
    assert.equal(role, "reader");
    await runOver(machine, "sudo shutdown -h now").catch(() => "");
    await until(async () => (await instanceOf(client, id)).State?.Name === "terminated");
  });
});
