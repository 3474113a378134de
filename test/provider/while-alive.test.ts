import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import { newEd25519Key } from "../../components/ed25519-key.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import { whileAlive } from "../../provider/resources/while-alive.ts";
import { dlami, settingsFor } from "../offline/cloud/account.ts";
import { freePort } from "./support/sshd.ts";
import { operation } from "./support/host.ts";

describe("whileAlive", () => {
  let cloud: Cloud;
  let client: ec2.EC2Client;
  const saved = { ...process.env };
  before(async () => {
    cloud = await startCloud({ tier: "none" });
    client = new ec2.EC2Client(settingsFor(cloud));
    process.env["BERTH_SSH_PRIVATE_KEY"] = newEd25519Key().privateKey;
    Object.assign(process.env, cloud.environment);
  });
  after(async () => {
    for (const name of ["BERTH_SSH_PRIVATE_KEY", ...Object.keys(cloud.environment)])
      if (saved[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = saved[name];
    await cloud.stop();
  });

  it("waits for a host that boots, and no longer than EC2 says that it is there", async () => {
    const run = { ImageId: await dlami(cloud), InstanceType: "g6.xlarge" as const };
    const { Instances } = await client.send(
      new ec2.RunInstancesCommand({ ...run, MinCount: 1, MaxCount: 1 }),
    );
    const id = Instances![0]!.InstanceId!;
    // Nobody listens there: that is a host that boots for ever.
    const hostKey =
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0qO9q0Qd1T9l0l0n0c7k6eF3Hc0lKxq5J7m3o8u1aZ";
    const connection = { host: "127.0.0.1", port: await freePort(), user: "ubuntu", hostKey };
    let over = false;
    const waiting = whileAlive(
      id,
      operation(),
      (patience) => {
        const host = hostOf(connection, patience);
        return onHost(host, () => host.session());
      },
      100,
    ).finally(() => (over = true));
    waiting.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(over, false);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    await assert.rejects(waiting, new RegExp(`${id} has ended while it was waited for`));
  });
});
