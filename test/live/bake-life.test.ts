import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import * as scheduler from "@aws-sdk/client-scheduler";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { nspawnTier } from "../../offline/cloud/machines/nspawn.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { freePort } from "../provider/support/sshd.ts";
import { needs } from "../support/tier.ts";
import { CheckoutAccount } from "./checkout-account.ts";

const stack = "local-bake";

describe("berth bake, on whole systems", function () {
  this.timeout(600_000);
  let account: CheckoutAccount;
  let cloud: Cloud;
  let client: ec2.EC2Client;
  let first = "";

  before(async function () {
    const { ok, why } = await nspawnTier.available();
    needs(this, "nspawn", ok, why);
    account = await CheckoutAccount.open(undefined, "nspawn");
    ({ cloud } = account);
    client = new ec2.EC2Client(settingsFor(cloud));
    await account.init(stack, `serverPort=${await freePort()}`, "leaseHours=1");
  });
  after(() => account.close());

  async function berth(command: string, ...words: readonly string[]): Promise<string> {
    const { code, text } = await account.berth(command, "--env", stack, ...words);
    assert.equal(code, 0, text);
    return text;
  }

  /** The live instances, with the images that they were launched from. */
  async function live(): Promise<readonly ec2.Instance[]> {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  const baked = async (): Promise<readonly ec2.Image[]> => {
    const asked = { Owners: ["self"], Filters: [{ Name: "tag-key", Values: ["berth:bake"] }] };
    return (await client.send(new ec2.DescribeImagesCommand(asked))).Images ?? [];
  };

  /** Whatever costs money, images' snapshots apart. */
  const costly = async (): Promise<readonly string[]> =>
    (await cloud.leftovers())
      .filter(({ kind }) => ["instance", "volume", "network-interface"].includes(kind))
      .map(({ kind, id }) => `${kind} ${id}`);

  it("makes an image of a stack that was not there, and leaves nothing else", async () => {
    const text = await berth("bake", "--yes");
    assert.match(text, /runtime done in/);
    assert.match(text, /cleaning +i-\w+[^]*image +ami-\w+ is there[^]*down "local-bake"/);
    assert.deepEqual(await costly(), []);
    const [image, ...others] = await baked();
    assert.deepEqual(others, []);
    first = image?.ImageId ?? "";
    const tags = (list: readonly ec2.Tag[] = []) =>
      Object.fromEntries(list.map(({ Key = "", Value }) => [Key, Value]));
    assert.equal(tags(image?.Tags)["berth:owner"], "alice@example.org");
    assert.match(tags(image?.Tags)["berth:baked-for"] ?? "", /GPU: \w+ \/ engine: llama\.cpp/);
    const { Snapshots } = await client.send(
      new ec2.DescribeSnapshotsCommand({
        SnapshotIds: image?.BlockDeviceMappings?.flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []),
      }),
    );
    assert.equal(tags(Snapshots?.[0]?.Tags)["berth:bake"], tags(image?.Tags)["berth:bake"]);
  });

  it("is what the next up starts from, which installs nothing", async () => {
    const text = await berth("up");
    assert.match(text, new RegExp(`image +${first}, baked for this plan on `));
    assert.match(text, /runtime already so in/);
    assert.doesNotMatch(text, /runtime done in/);
    assert.deepEqual(
      (await live()).map(({ ImageId }) => ImageId),
      [first],
    );
    await berth("invoke", "hi", "--max-tokens", "2");
    const kept = await berth(
      "ssh",
      "--",
      "ls /opt/berth/engines; journalctl --list-boots -q | wc -l",
    );
    assert.match(kept, /^llama-server$[^]*^1$/m);
  });

  it("killed behind the image, goes on with the same one", async () => {
    const bake = account.start("bake", "--env", stack, "--yes");
    await bake.said(/image +ami-\w+ is being made/);
    bake.kill();
    await bake.ended;
    const before = await baked();
    const text = await berth("bake", "--yes");
    assert.doesNotMatch(text, /cleaning/);
    assert.deepEqual((await baked()).length, before.length);
    assert.deepEqual(await costly(), []);
  });

  it("killed in the middle, leaves a host that its schedule ends, and no image that nobody owns", async () => {
    const bake = account.start("bake", "--env", stack, "--yes");
    await bake.said(/cleaning +i-\w+/);
    bake.kill();
    await bake.ended;
    assert.equal((await live()).length, 1);
    await cloud.advanceClock(3700);
    assert.deepEqual(await live(), []);
    await berth("down", "--yes");
    assert.deepEqual(await costly(), []);
    for (const { Tags = [] } of await baked())
      assert.ok(Tags.some(({ Key, Value }) => Key === "berth:owner" && Value !== ""));
  });

  it("is old when a newer one is there, and audit --fix removes it with its snapshots", async () => {
    // Ten days of the account's sweeps would be some thousands of rounds, and they leave images alone.
    const schedules = new scheduler.SchedulerClient(settingsFor(cloud));
    const { Schedules = [] } = await schedules.send(new scheduler.ListSchedulesCommand({}));
    for (const { Name, GroupName } of Schedules)
      await schedules.send(new scheduler.DeleteScheduleCommand({ Name, GroupName }));
    await cloud.advanceClock(10 * 24 * 3600);
    const listed = await account.berth("audit", "--env", stack);
    assert.match(listed.text, new RegExp(`old image +${first} of alice@example\\.org`));
    assert.equal(listed.code, 0, "an image costs little, and no run is over");
    const fixed = await account.berth("audit", "--env", stack, "--fix", "--yes");
    assert.equal(fixed.code, 0, fixed.text);
    assert.doesNotMatch((await baked()).map(({ ImageId }) => ImageId).join(), new RegExp(first));
    assert.equal((await baked()).length, 1, fixed.text);
    const [left] = await baked();
    await berth("bake", "--remove", left?.ImageId ?? "");
    assert.deepEqual(
      (await cloud.leftovers()).filter(({ kind }) => kind === "snapshot"),
      [],
    );
  });
});
