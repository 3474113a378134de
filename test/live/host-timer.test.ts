import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import { newEd25519Key } from "../../components/ed25519-key.ts";
import { renderUserData } from "../../components/gpu-host/user-data.ts";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { missing } from "../../offline/cloud/machines/nspawn/host-check.ts";
import { dlami, instanceOf, makeNetwork, settingsFor, until } from "../offline/cloud/account.ts";
import { needs } from "../support/tier.ts";

describe("the host's own timer on a machine with systemd, with no schedule, no sweep and nobody there", function () {
  this.timeout(600_000);
  let cloud: Cloud | undefined;

  before(async function () {
    const why = await missing();
    needs(this, "nspawn", why === "", why);
    cloud = await startCloud({ tier: "nspawn" });
  });
  after(() => cloud?.stop());

  it("ends the host after its deadline and the grace, and not before", async () => {
    const client = new ec2.EC2Client(settingsFor(cloud!));
    const { subnetIds, groupId } = await makeNetwork(client, ["us-east-1a"]);
    const launch = async (expiresAt: Date) => {
      const userData = renderUserData({
        hostKey: newEd25519Key(),
        authorizedKey: newEd25519Key().publicKey,
        expiresAt: expiresAt.toISOString(),
      });
      const run = await client.send(
        new ec2.RunInstancesCommand({
          ...{ ImageId: await dlami(cloud!), InstanceType: "g6.xlarge", MinCount: 1, MaxCount: 1 },
          ...{ SubnetId: subnetIds[0], SecurityGroupIds: [groupId] },
          InstanceInitiatedShutdownBehavior: "terminate",
          UserData: Buffer.from(userData).toString("base64"),
        }),
      );
      return run.Instances![0]!.InstanceId!;
    };
    const stateOf = async (id: string) => (await instanceOf(client, id)).State?.Name;
    // Five minutes of grace follow the deadline: the first machine's are over in a minute, the second one's are not.
    const started = Date.now();
    const over = await launch(new Date(started - 240_000));
    const lasting = await launch(new Date(started + 3_600_000));
    await until(async () => (await stateOf(over)) === "terminated", 420);
    assert.ok(Date.now() - started >= 60_000, "it ended within the grace");
    assert.equal(await stateOf(lasting), "running");
    const actors = cloud!.calls().map(({ operation }) => operation);
    assert.ok(!actors.includes("TerminateInstances"), "something else ended it");
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [lasting] }));
  });
});
