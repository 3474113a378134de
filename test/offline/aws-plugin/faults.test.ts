import assert from "node:assert/strict";
import { EC2 } from "@aws-sdk/client-ec2";
import type { ServiceError } from "@grpc/grpc-js";
import type { Fault } from "../../../offline/cloud/faults.ts";
import { providerPb, statusPb } from "../../../offline/aws-plugin/engine/stubs.ts";
import { receive } from "../../../offline/aws-plugin/engine/wire.ts";
import type { Kept } from "./plugin-client.ts";
import { maker } from "./scenarios.ts";
import { startBench, type Bench } from "./support.ts";

/** The resource in the details of an error, as an engine would keep it. */
function keptIn(error: ServiceError, token: string, inputs: Kept["inputs"]): Kept {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const [any] = statusPb.Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const failed = providerPb.ErrorResourceInitFailed.deserializeBinary(any!.getValue_asU8());
  const outputs = receive(failed.getProperties()).values;
  return { token, name: "Test", id: failed.getId(), inputs, outputs };
}

describe("AWS plugin before faults and drift", () => {
  let bench: Bench;
  let ec2: EC2;
  before(async () => {
    bench = await startBench();
    ec2 = new EC2({ region: "us-east-1", endpoint: bench.cloud.endpoint });
  });
  after(async () => {
    ec2.destroy();
    await bench.stop();
  });

  async function during<T>(fault: Fault, run: () => Promise<T>): Promise<T> {
    bench.cloud.setFault(fault);
    try {
      return await run();
    } finally {
      bench.cloud.clearFaults();
    }
  }

  it("tries again when it is throttled", async () => {
    const { client } = bench;
    const vpc = await during(
      { kind: "throttle", service: "ec2", operation: "CreateVpc", times: 1 },
      () => client.create("aws:ec2/vpc:Vpc", "Test", { cidrBlock: "10.6.0.0/16" }),
    );
    await client.delete(vpc);
  });

  it("keeps what was half made, and goes on from there", async () => {
    const { client } = bench;
    const { make, clean } = maker(client);
    const token = "aws:ec2/subnet:Subnet";
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.6.0.0/16" });
    const inputs = { vpcId: vpc.id, cidrBlock: "10.6.1.0/24", mapPublicIpOnLaunch: true };
    const error = await during(
      { kind: "access-denied", service: "ec2", operation: "ModifySubnetAttribute" },
      () =>
        client.create(token, "Test", inputs).then(
          () => assert.fail("it was to fail"),
          (cause: unknown) => cause as ServiceError,
        ),
    );
    assert.match(error.details, /UnauthorizedOperation|AccessDenied/);
    const half = keptIn(error, token, await client.check(token, "Test", inputs));
    assert.match(half.id, /^subnet-/);
    assert.equal(half.outputs["mapPublicIpOnLaunch"], false);
    const whole = await client.update(half, inputs);
    assert.equal(whole.outputs["mapPublicIpOnLaunch"], true);
    await client.delete(whole);
    await clean();
  });

  it("leaves no security group that is open because closing it failed", async () => {
    const { client } = bench;
    const { make, clean } = maker(client);
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.6.0.0/16" });
    await assert.rejects(
      during(
        { kind: "access-denied", service: "ec2", operation: "RevokeSecurityGroupEgress" },
        () => client.create("aws:ec2/securityGroup:SecurityGroup", "Test", { vpcId: vpc.id }),
      ),
      /UnauthorizedOperation|AccessDenied/,
    );
    const Filters = [{ Name: "vpc-id", Values: [vpc.id] }];
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({ Filters });
    assert.deepEqual(
      SecurityGroups.map(({ GroupName }) => GroupName),
      ["default"],
    );
    await clean();
  });

  it("finds what was changed behind its back, and puts it right", async () => {
    const { client } = bench;
    const { make, clean } = maker(client);
    const vpc = await make("aws:ec2/vpc:Vpc", { cidrBlock: "10.6.0.0/16" });
    const inputs = {
      vpcId: vpc.id,
      ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["192.0.2.7/32"] }],
      tags: { Name: "mine" },
    };
    const group = await client.create("aws:ec2/securityGroup:SecurityGroup", "Test", inputs);
    await ec2.authorizeSecurityGroupIngress({
      GroupId: group.id,
      IpPermissions: [
        { IpProtocol: "tcp", FromPort: 1, ToPort: 9, IpRanges: [{ CidrIp: "0.0.0.0/0" }] },
      ],
    });
    const Tags = [
      { Key: "Name", Value: "theirs" },
      { Key: "extra", Value: "1" },
    ];
    await ec2.createTags({ Resources: [group.id], Tags });

    const found = await client.read(group);
    assert.ok(found);
    const { detailed, replaces } = await client.diff(found, inputs);
    assert.deepEqual(replaces, []);
    const changed = Object.keys(detailed).map((path) => path.split(/[.[]/)[0]);
    assert.deepEqual([...new Set(changed)].toSorted(), ["ingress", "tags", "tagsAll"]);
    const right = await client.update(found, inputs);
    assert.deepEqual(right.outputs["tags"], { Name: "mine" });
    assert.equal((right.outputs["ingress"] as unknown[]).length, 1);
    await client.delete(right);
    await clean();
  });
});
