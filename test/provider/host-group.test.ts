import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { LaunchAccount, someRung, type Template } from "./support/launch-account.ts";
import type { PluginClient } from "./support/plugin-client.ts";

interface Rung {
  readonly instanceType: string;
  readonly purchase?: "spot" | "on-demand";
  readonly totalHourlyUsd?: number;
}

describe("berth:index:HostGroup", () => {
  let account: LaunchAccount;
  let cloud: Cloud;
  let plugin: PluginClient;
  let client: ec2.EC2Client;
  let templates: Readonly<Record<string, Template>>;

  before(async () => {
    account = await LaunchAccount.start();
    ({ cloud, plugin, client } = account);
    const tag = { Key: "Name", Value: "dev-host" };
    templates = { "on-demand": await account.makeTemplate("group", tag) };
  });
  after(() => account.stop());
  afterEach(() => {
    cloud.clearFaults();
  });

  const ground = () => ({
    region: "us-east-1",
    name: "dev-host",
    templates,
    subnetIds: [...account.subnetIds],
    tags: { "berth:stack": "dev", Name: "dev-host-fleet" },
  });

  const wish = (hosts: number, ...rungs: readonly Rung[]) => ({
    ...ground(),
    hosts,
    rungs: rungs.map((rung) => ({
      ...someRung,
      purchase: "on-demand",
      template: "on-demand",
      ...rung,
    })),
  });

  const one = (index: number, group: Readonly<Record<string, unknown>>) => ({
    ...ground(),
    index,
    launched: group["launched"],
    groupFleetIds: group["fleetIds"],
  });

  /** `number id type zone` of every live instance, by number. */
  async function live(): Promise<readonly string[]> {
    return (await account.live())
      .map(({ InstanceId, InstanceType, Placement, Tags = [] }) => {
        const tag = (key: string) => Tags.find(({ Key }) => Key === key)?.Value;
        return `${tag("Name")} ${tag("berth:host")} ${InstanceId} ${InstanceType} ${Placement?.AvailabilityZone}`;
      })
      .toSorted();
  }

  it("takes the first rung that gives all hosts in one zone, and leaves nothing of the others", async () => {
    // The first of three is given in the first zone of the first type, and none after it.
    cloud.setFault({ kind: "insufficient-capacity", instanceType: "g5.xlarge", after: 1 });
    const rungs = [
      { instanceType: "g5.xlarge" },
      { instanceType: "g6.xlarge", totalHourlyUsd: 0.2 },
    ];
    const made = await plugin.create("HostGroup", wish(3, ...rungs));
    const { instanceType, zone } = made.outputs["launched"] as Record<string, unknown>;
    assert.deepEqual([instanceType, zone], ["g6.xlarge", "us-east-1a"]);
    const hosts = await live();
    assert.deepEqual(
      hosts.map((line) => line.replace(/ i-\w+/, "")),
      [0, 1, 2].map((index) => `dev-host-${index} ${index} g6.xlarge us-east-1a`),
    );
    assert.equal((await account.liveFleets()).length, 1);

    const host = await plugin.create("GroupHost", one(1, made.outputs));
    assert.ok(hosts[1]!.includes(host.id), "the one that has the number");
    assert.deepEqual(host.outputs["fleetIds"], []);
    await plugin.delete("GroupHost", host.id, host.outputs);
    assert.equal((await live()).length, 2, "a host goes alone");
    assert.equal(await plugin.read("GroupHost", host.id, host.outputs), undefined);
    assert.ok(await plugin.read("HostGroup", made.id, made.outputs));

    cloud.clearFaults();
    cloud.setFault({ kind: "insufficient-capacity", instanceType: "g6.xlarge", times: 1 });
    await assert.rejects(
      plugin.create("GroupHost", one(1, made.outputs)),
      /no instance for host 1; the other hosts stay[\s\S]*g6\.xlarge on-demand in us-east-1a: InsufficientInstanceCapacity/,
    );
    const again = await plugin.create("GroupHost", one(1, made.outputs));
    assert.notEqual(again.id, host.id);
    assert.deepEqual(
      (await live()).map((line) => line.replace(/ i-\w+/, "")),
      [0, 1, 2].map((index) => `dev-host-${index} ${index} g6.xlarge us-east-1a`),
    );
    const Filters = [{ Name: "tag:berth:hourly-usd", Values: ["0.2000"] }];
    const priced = await client.send(new ec2.DescribeInstancesCommand({ Filters }));
    const ids = priced.Reservations!.flatMap(({ Instances = [] }) => Instances);
    assert.ok(ids.some(({ InstanceId }) => InstanceId === again.id));
    const taken = await plugin.create("GroupHost", one(1, made.outputs));
    assert.deepEqual([taken.id, taken.outputs["fleetIds"]], [again.id, again.outputs["fleetIds"]]);

    await plugin.delete("GroupHost", again.id, again.outputs);
    await plugin.delete("HostGroup", made.id, made.outputs);
    assert.deepEqual([await live(), await account.liveFleets()], [[], []]);
    assert.equal(await plugin.read("HostGroup", made.id, made.outputs), undefined);
  });

  it("leaves nothing behind when no rung gives them all, and says why of each", async () => {
    cloud.setFault({ kind: "insufficient-capacity", after: 1 });
    await assert.rejects(
      plugin.create("HostGroup", wish(2, { instanceType: "g5.xlarge" })),
      /no instance of the ladder in us-east-1[\s\S]*us-east-1a: Insuff[\s\S]*us-east-1b: Insuff/,
    );
    assert.deepEqual([await live(), await account.liveFleets()], [[], []]);
  });

  it("takes what a launch that was cut off left, numbered, and ends what is too much", async () => {
    const first = await plugin.create("HostGroup", wish(3, { instanceType: "g5.xlarge" }));
    const before = await live();
    // As if it had been cut off before the last one had its number.
    const [, , last = ""] = before[2]!.split(" ");
    const Tags = [{ Key: "berth:host" }, { Key: "Name" }];
    await client.send(new ec2.DeleteTagsCommand({ Resources: [last], Tags }));
    const again = await plugin.create("HostGroup", wish(3, { instanceType: "g5.xlarge" }));
    assert.deepEqual(await live(), before);
    assert.deepEqual(again.outputs["fleetIds"], first.outputs["fleetIds"]);
    await client.send(new ec2.DeleteTagsCommand({ Resources: [last], Tags }));
    await plugin.create("HostGroup", wish(2, { instanceType: "g5.xlarge" }));
    assert.deepEqual(await live(), before.slice(0, 2));
    await plugin.delete("HostGroup", again.id, again.outputs);
    assert.deepEqual([await live(), await account.liveFleets()], [[], []]);
  });
});
