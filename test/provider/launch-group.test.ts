import assert from "node:assert/strict";
import type { CreateFleetRequest } from "@aws-sdk/client-ec2";
import type { Ec2Launch } from "../../provider/adapters/ec2-launch.ts";
import { launchGroup, type GroupWish } from "../../provider/launch-group.ts";

/** EC2 that gives, for each fleet in turn, so many instances in so many subnets, and remembers what it was asked. */
function ec2Giving(...answers: readonly (readonly string[])[]) {
  const asked: CreateFleetRequest[] = [];
  const deleted: string[] = [];
  const tagged: string[] = [];
  const ec2 = {
    instances: () => Promise.resolve([]),
    subnets: (ids: readonly string[]) =>
      Promise.resolve(ids.map((subnetId) => ({ subnetId, zone: `zone of ${subnetId}` }))),
    offerings: () => Promise.resolve(undefined),
    createFleet: (request: CreateFleetRequest) => {
      const place = asked.push(request) - 1;
      const InstanceType = request.LaunchTemplateConfigs?.[0]?.Overrides?.[0]?.InstanceType;
      const Instances = (answers[place] ?? []).map((SubnetId, index) => ({
        InstanceType,
        InstanceIds: [`i-${place}-${index}`],
        LaunchTemplateAndOverrides: { Overrides: { SubnetId } },
      }));
      return Promise.resolve({ FleetId: `fleet-${place}`, Instances, $metadata: {} });
    },
    deleteFleets: (ids: readonly string[]) => Promise.resolve(void deleted.push(...ids)),
    tag: (ids: readonly string[]) => Promise.resolve(void tagged.push(...ids)),
  };
  return { ec2: ec2 as unknown as Ec2Launch, asked, deleted, tagged };
}

const rung = (instanceType: string, purchase: "spot" | "on-demand") => ({
  ...{ instanceType, purchase, template: purchase, zones: [], totalHourlyUsd: 1 },
  ...{ gpuModel: "A10G", gpuCount: 1, tensorParallel: 1 },
});
const wish: GroupWish = {
  region: "us-east-1",
  name: "dev-host",
  templates: { spot: { id: "lt-1", version: "1" }, "on-demand": { id: "lt-2", version: "1" } },
  subnetIds: ["subnet-a", "subnet-b"],
  tags: {},
  hosts: 2,
  rungs: [rung("g5.xlarge", "spot"), rung("g6.xlarge", "spot"), rung("g6.xlarge", "on-demand")],
};

describe("launchGroup", () => {
  it("asks for all hosts or none, of one type in one zone", async () => {
    const { ec2, asked, tagged } = ec2Giving(["subnet-b", "subnet-b"]);
    const { launched } = await launchGroup(ec2, wish, () => undefined);
    assert.equal(launched.zone, "zone of subnet-b");
    assert.deepEqual(tagged, ["i-0-0", "i-0-1"]);
    assert.equal(asked[0]?.TargetCapacitySpecification?.TotalTargetCapacity, 2);
    assert.deepEqual(asked[0].SpotOptions, {
      AllocationStrategy: "price-capacity-optimized",
      SingleInstanceType: true,
      SingleAvailabilityZone: true,
      MinTargetCapacity: 2,
    });
  });

  it("takes down what is fewer, or apart, and asks for the next rung", async () => {
    const { ec2, deleted } = ec2Giving(
      ["subnet-a"],
      ["subnet-a", "subnet-b"],
      ["subnet-a", "subnet-a"],
    );
    const lines: string[] = [];
    const { launched, refusals } = await launchGroup(ec2, wish, (line) => lines.push(line));
    assert.deepEqual([launched.instanceType, launched.purchase], ["g6.xlarge", "on-demand"]);
    assert.deepEqual(deleted, ["fleet-0", "fleet-1"]);
    assert.deepEqual(
      refusals.map(({ code, message }) => `${code}: ${message}`),
      [
        "PartialLaunch: gave 1 of 2 hosts; they are taken down again",
        "PartialLaunch: gave 2 of 2 hosts in 2 places; they are taken down again",
      ],
    );
    assert.match(lines.join("\n"), /g5\.xlarge spot in zone of subnet-a: PartialLaunch/);
  });

  it("says so when no rung is whole, and leaves no fleet", async () => {
    const { ec2, deleted } = ec2Giving(["subnet-a"], [], ["subnet-b"]);
    await assert.rejects(
      launchGroup(ec2, wish, () => undefined),
      /EC2 gave no instance of the ladder/,
    );
    assert.deepEqual(deleted, ["fleet-0", "fleet-1", "fleet-2"]);
  });
});
