import assert from "node:assert/strict";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { LaunchAccount, someRung, type Template } from "./support/launch-account.ts";
import type { PluginClient } from "./support/plugin-client.ts";

interface Rung {
  readonly instanceType: string;
  readonly purchase: "spot" | "on-demand";
  readonly zones?: readonly string[];
  readonly totalHourlyUsd?: number;
  readonly spotMaxHourlyUsd?: number;
}

interface Refusal {
  readonly instanceType: string;
  readonly zone: string;
  readonly purchase: string;
  readonly cause: string;
}

describe("berth:index:HostLaunch", () => {
  let account: LaunchAccount;
  let cloud: Cloud;
  let plugin: PluginClient;
  let templates: Readonly<Record<string, Template>>;

  before(async () => {
    account = await LaunchAccount.start();
    ({ cloud, plugin } = account);
    const tag = { Key: "berth:hourly-usd", Value: "0.1000" };
    templates = {
      spot: await account.makeTemplate("spot", tag),
      "on-demand": await account.makeTemplate("on-demand", tag),
    };
  });
  after(() => account.stop());
  afterEach(() => {
    cloud.clearFaults();
  });

  const inputs = (rungs: readonly Rung[], change: object = {}) => ({
    region: "us-east-1",
    templates,
    subnetIds: [...account.subnetIds],
    rungs: rungs.map((rung) => ({ ...someRung, ...rung })),
    tags: { "berth:stack": "dev", Name: "dev-host-fleet" },
    ...change,
  });

  const told = (refusals: unknown) =>
    (refusals as Refusal[]).map((each) =>
      [each.instanceType, each.zone, each.purchase, each.cause].join(" "),
    );

  it("walks types, zones and markets until one is given, and says what was refused", async () => {
    cloud.setFault({ kind: "insufficient-capacity", market: "spot" });
    cloud.setFault({ kind: "quota", instanceType: "g5.*", market: "on-demand" });
    cloud.setFault({ kind: "insufficient-capacity", availabilityZone: "us-east-1a" });
    const wish = inputs([
      { instanceType: "g5.xlarge", purchase: "spot" },
      { instanceType: "g5.xlarge", purchase: "on-demand" },
      { instanceType: "g6.xlarge", purchase: "on-demand", totalHourlyUsd: 0.9 },
    ]);
    const made = await plugin.create("HostLaunch", wish);
    const { launched, refusals, instanceId } = made.outputs;
    const { instanceType, purchase, zone } = launched as Record<string, unknown>;
    assert.deepEqual([instanceType, purchase, zone], ["g6.xlarge", "on-demand", "us-east-1b"]);
    assert.deepEqual(told(refusals), [
      "g5.xlarge us-east-1a spot capacity",
      "g5.xlarge us-east-1b spot capacity",
      "g5.xlarge us-east-1a on-demand quota",
      "g5.xlarge us-east-1b on-demand quota",
      "g6.xlarge us-east-1a on-demand capacity",
    ]);
    const [instance, ...others] = await account.live();
    assert.deepEqual([instance?.InstanceId, others.length], [instanceId, 0]);
    assert.equal(instance?.Placement?.AvailabilityZone, "us-east-1b");
    const price = instance.Tags?.find(({ Key }) => Key === "berth:hourly-usd");
    assert.equal(price?.Value, "0.9000", "the price of the rung that was given");
    assert.equal((await account.liveFleets()).length, 1, "the fleet that gave nothing is gone");

    const read = await plugin.read("HostLaunch", made.id, made.outputs);
    assert.equal(read?.["instanceId"], instanceId);
    await plugin.delete("HostLaunch", made.id, made.outputs);
    assert.deepEqual([await account.live(), await account.liveFleets()], [[], []]);
    assert.equal(await plugin.read("HostLaunch", made.id, made.outputs), undefined);
    await plugin.delete("HostLaunch", made.id, made.outputs);
  });

  it("takes the zones that a rung wishes for, in their order", async () => {
    const zones = ["us-east-1b", "us-east-1a", "us-east-1f"];
    const wish = inputs([{ instanceType: "g5.xlarge", purchase: "on-demand", zones }]);
    const made = await plugin.create("HostLaunch", wish);
    const { zone } = made.outputs["launched"] as Record<string, unknown>;
    assert.equal(zone, "us-east-1b");
    await plugin.delete("HostLaunch", made.id, made.outputs);
  });

  it("pays no more on spot than it was told", async () => {
    const spotMaxHourlyUsd = 0.01;
    const wish = inputs([
      { instanceType: "g5.xlarge", purchase: "spot", spotMaxHourlyUsd },
      { instanceType: "g5.xlarge", purchase: "on-demand" },
    ]);
    const made = await plugin.create("HostLaunch", wish);
    assert.equal((made.outputs["launched"] as Rung).purchase, "on-demand");
    assert.deepEqual(told(made.outputs["refusals"]), [
      "g5.xlarge us-east-1a spot price",
      "g5.xlarge us-east-1b spot price",
    ]);
    await plugin.delete("HostLaunch", made.id, made.outputs);
  });

  it("names every refusal when nothing is given, and leaves nothing behind", async () => {
    cloud.setFault({ kind: "insufficient-capacity" });
    await assert.rejects(
      plugin.create("HostLaunch", inputs([{ instanceType: "g5.xlarge", purchase: "spot" }])),
      /no instance of the ladder in us-east-1[\s\S]*g5\.xlarge spot in us-east-1a: InsufficientInstanceCapacity[\s\S]*us-east-1b[\s\S]*spot-then-on-demand/,
    );
    assert.deepEqual([await account.live(), await account.liveFleets()], [[], []]);
  });

  it("ends the walk at once where no rung can do better", async () => {
    cloud.setFault({ kind: "access-denied", service: "ec2", operation: "CreateFleet" });
    const rungs = [
      { instanceType: "g5.xlarge", purchase: "spot" },
      { instanceType: "g5.xlarge", purchase: "on-demand" },
    ] as const;
    await assert.rejects(
      plugin.create("HostLaunch", inputs(rungs)),
      /not authorized[\s\S]*docs\/iam-policy\.md|UnauthorizedOperation/,
    );
    assert.deepEqual(await account.live(), []);
  });

  it("takes the instance of a launch that was cut off, and not a second one", async () => {
    const wish = inputs([{ instanceType: "g5.xlarge", purchase: "on-demand" }]);
    const first = await plugin.create("HostLaunch", wish);
    const again = await plugin.create("HostLaunch", wish);
    assert.equal(again.id, first.id);
    assert.deepEqual(again.outputs["fleetIds"], first.outputs["fleetIds"]);
    assert.equal((await account.live()).length, 1);
    await plugin.delete("HostLaunch", again.id, again.outputs);
    assert.deepEqual([await account.live(), await account.liveFleets()], [[], []]);
  });

  it("asks on where the zones of the types may not be asked", async () => {
    cloud.setFault({ kind: "access-denied", operation: "DescribeInstanceTypeOfferings" });
    const wish = inputs([{ instanceType: "g5.xlarge", purchase: "on-demand" }]);
    const made = await plugin.create("HostLaunch", wish);
    assert.match(made.id, /^i-/);
    await plugin.delete("HostLaunch", made.id, made.outputs);
  });
});
