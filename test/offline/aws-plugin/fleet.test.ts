import assert from "node:assert/strict";
import { EC2 } from "@aws-sdk/client-ec2";
import { maker, type Make } from "./scenarios.ts";
import { startBench, type Bench } from "./support.ts";

const token = "aws:ec2/fleet:Fleet";

interface InstanceSet {
  readonly instanceIds: string[];
  readonly instanceType: string;
}

describe("Fleet", () => {
  let bench: Bench;
  let ec2: EC2;
  before(async function () {
    this.timeout(90_000);
    bench = await startBench();
    ec2 = new EC2({ region: "us-east-1", endpoint: bench.cloud.endpoint });
  });
  after(async () => {
    await bench.stop();
  });

  async function fleetInputs(make: Make) {
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.8.0.0/16" });
    const subnet = await make("aws:ec2/subnet:Subnet", {
      vpcId: vpc.id,
      cidrBlock: "10.8.0.0/20",
      availabilityZone: "us-east-1a",
    });
    const { Images = [] } = await ec2.describeImages({ Owners: ["amazon"] });
    const template = await make("aws:ec2/launchTemplate:LaunchTemplate", {
      imageId: Images[0]?.ImageId,
    });
    const overrides = ["g5.xlarge", "g6.xlarge"].map((instanceType, priority) => ({
      instanceType,
      subnetId: subnet.id,
      priority,
    }));
    return {
      type: "instant",
      terminateInstances: true,
      targetCapacitySpecification: {
        totalTargetCapacity: 1,
        defaultTargetCapacityType: "on-demand",
      },
      onDemandOptions: { allocationStrategy: "prioritized" },
      launchTemplateConfigs: [
        {
          launchTemplateSpecification: { launchTemplateId: template.id, version: "1" },
          overrides,
        },
      ],
      tags: { Name: "fleet" },
    };
  }

  async function live(): Promise<string[]> {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const { Reservations = [] } = await ec2.describeInstances({ Filters });
    return Reservations.flatMap(({ Instances = [] }) => Instances).map(
      ({ InstanceId = "" }) => InstanceId,
    );
  }

  it("launches at once, says what, and ends what it launched", async () => {
    const { client } = bench;
    const { make, clean } = maker(client);
    const inputs = await fleetInputs(make);
    const made = await client.create(token, "Test", inputs);
    const [first] = made.outputs["fleetInstanceSets"] as InstanceSet[];
    assert.equal(first?.instanceType, "g5.xlarge");
    assert.deepEqual(await live(), first.instanceIds);

    const found = await client.read(made);
    assert.ok(found);
    assert.deepEqual(found.outputs["fleetInstanceSets"], made.outputs["fleetInstanceSets"]);
    assert.deepEqual((await client.diff(found, inputs)).detailed, {});
    const spot = { totalTargetCapacity: 1, defaultTargetCapacityType: "spot" };
    const other = await client.diff(found, { ...inputs, targetCapacitySpecification: spot });
    assert.deepEqual(other.replaces, ["targetCapacitySpecification"]);

    const instance = await client.invoke("aws:ec2/getInstance:getInstance", {
      instanceId: first.instanceIds[0],
    });
    assert.equal(instance["instanceType"], "g5.xlarge");
    assert.equal(typeof instance["privateIp"], "string");
    const running = await client.invoke("aws:ec2/getInstances:getInstances", {
      filters: [{ name: "instance-type", values: ["g5.xlarge"] }],
      instanceStateNames: ["pending", "running"],
    });
    assert.deepEqual(running["ids"], first.instanceIds);

    await client.delete(found);
    assert.deepEqual(await live(), []);
    assert.equal(await client.read(found), undefined);
    await client.delete(found);
    await clean();
  }).timeout(30_000);

  it("leaves nothing behind when there is no capacity anywhere, and says where it asked", async () => {
    const { client, cloud } = bench;
    const { make, clean } = maker(client);
    const inputs = await fleetInputs(make);
    cloud.setFault({ kind: "insufficient-capacity" });
    try {
      await assert.rejects(
        client.create(token, "Test", inputs),
        /launched no instance[\s\S]*g5\.xlarge[\s\S]*InsufficientInstanceCapacity/,
      );
    } finally {
      cloud.clearFaults();
    }
    assert.deepEqual(await live(), []);
    const { Fleets = [] } = await ec2.describeFleets({});
    assert.deepEqual(
      Fleets.filter(({ FleetState }) => FleetState === "active"),
      [],
    );
    await clean();
  }).timeout(30_000);

  it("has no other types than instant", async () => {
    await assert.rejects(
      bench.client.check(token, "Test", {
        launchTemplateConfigs: [],
        targetCapacitySpecification: {
          totalTargetCapacity: 1,
          defaultTargetCapacityType: "spot",
        },
      }),
      /type: .*instant only/,
    );
  });
});
