import assert from "node:assert/strict";
import {
  DeregisterImageCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import {
  imageLines,
  removeImages,
  takeImageInventory,
} from "../../../scripts/teardown/audit-images.ts";
import type { ClientSettings } from "../../../scripts/adapters/account-scope.ts";
import {
  createImage,
  imageOfInstance,
  imagesInUse,
  listBakedImages,
  listLooseSnapshots,
  removeImage,
  removeSnapshot,
  untilAvailable,
} from "../../../scripts/adapters/baked-images.ts";

describe("Images that berth baked", () => {
  let cloud: Cloud;
  let client: ClientSettings;
  const told = { bakedFor: "GPU: L4 / engine: vllm" };
  before(async () => {
    cloud = await startCloud({ tier: "none" });
    const credentials = { accessKeyId: "AKIAEMULATED00000000", secretAccessKey: "emulated" };
    client = { region: "us-east-1", endpoint: cloud.endpoint, credentials };
  });
  after(() => cloud.stop());

  it("are made of an instance, found by it, listed, and removed with their snapshots", async () => {
    const ec2 = new EC2Client(client);
    const launched = await ec2.send(
      new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1 }),
    );
    const instanceId = launched.Instances?.[0]?.InstanceId ?? "";
    assert.equal(await imageOfInstance(client, instanceId), undefined);
    const wish = {
      instanceId,
      name: "berth-vllm-1",
      owner: "ada@example.org",
      key: "abc",
      ...told,
    };
    const id = await createImage(client, wish);
    const image = await untilAvailable(client, id, () => undefined);
    assert.equal(image.key, "abc");
    assert.equal(image.bakedFor, told.bakedFor);
    assert.equal(image.owner, "ada@example.org");
    assert.ok(image.snapshotIds.length > 0);
    assert.equal((await imageOfInstance(client, instanceId))?.id, id);
    assert.deepEqual(
      (await listBakedImages(client)).map((each) => each.id),
      [id],
    );
    assert.deepEqual(await listLooseSnapshots(client, [image]), []);
    assert.deepEqual(await imagesInUse(client, [image]), []);
    const user = await ec2.send(new RunInstancesCommand({ ImageId: id, MinCount: 1, MaxCount: 1 }));
    assert.deepEqual(await imagesInUse(client, [image]), [id]);
    const InstanceIds = [user.Instances?.[0]?.InstanceId ?? ""];
    await ec2.send(new TerminateInstancesCommand({ InstanceIds }));
    assert.deepEqual(await imagesInUse(client, [image]), []);
    await assert.rejects(removeImage(client, "ami-12c6146b"), /is no image that berth baked/);
    const question = { client, regions: ["us-east-1"], emulated: true };
    const { images, unanswered } = await takeImageInventory(question, new Date());
    assert.deepEqual(unanswered, []);
    assert.match(
      imageLines(images).join(),
      /^image +ami-\w+ of ada@example\.org in us-east-1: 0 days/,
    );
    assert.deepEqual(await removeImages(client, images, () => undefined), []);
    const [gone] = await removeImages(client, images, () => undefined);
    assert.match(gone?.reason ?? "", /is no image that berth baked/);
    assert.deepEqual(await listBakedImages(client), []);
    assert.deepEqual(await listLooseSnapshots(client, []), []);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    ec2.destroy();
    assert.deepEqual(
      (await cloud.leftovers()).filter(({ kind }) => ["snapshot", "instance"].includes(kind)),
      [],
    );
  });

  it("leave snapshots that are found and removed when a removal was cut off", async () => {
    const ec2 = new EC2Client(client);
    const launched = await ec2.send(
      new RunInstancesCommand({ ImageId: "ami-12c6146b", MinCount: 1, MaxCount: 1 }),
    );
    const instanceId = launched.Instances?.[0]?.InstanceId ?? "";
    const wish = {
      instanceId,
      name: "berth-vllm-2",
      owner: "ada@example.org",
      key: "abc",
      ...told,
    };
    const id = await createImage(client, wish);
    await untilAvailable(client, id, () => undefined);
    await ec2.send(new DeregisterImageCommand({ ImageId: id }));
    const loose = await listLooseSnapshots(client, await listBakedImages(client));
    assert.deepEqual(
      loose.map(({ owner, key, state }) => ({ owner, key, state })),
      [{ owner: "ada@example.org", key: "abc", state: "completed" }],
    );
    for (const each of loose) await removeSnapshot(client, each.id);
    assert.deepEqual(await listLooseSnapshots(client, []), []);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    ec2.destroy();
  });
});
