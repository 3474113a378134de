import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import {
  dlami,
  instanceOf,
  makeNetwork,
  makeProfile,
  publicKey,
  settingsFor,
  until,
} from "./account.ts";
import { fakeTier } from "./fake-tier.ts";

describe("EC2 instances of a cloud with machines", () => {
  let holdBoot = Promise.resolve();
  const { tier, machines } = fakeTier((spec) =>
    spec.userData.includes("never boots") ? Promise.reject(new Error("no boot")) : holdBoot,
  );
  let cloud: Cloud;
  let client: ec2.EC2Client;
  let network: Awaited<ReturnType<typeof makeNetwork>>;
  let templateId: string;

  before(async () => {
    cloud = await startCloud({ machineTier: tier });
    client = new ec2.EC2Client(settingsFor(cloud));
    network = await makeNetwork(client, ["us-east-1a", "us-east-1b"]);
    await makeProfile(cloud, "host");
    await client.send(
      new ec2.ImportKeyPairCommand({ KeyName: "key", PublicKeyMaterial: Buffer.from(publicKey) }),
    );
    const template = await client.send(
      new ec2.CreateLaunchTemplateCommand({
        LaunchTemplateName: "host",
        LaunchTemplateData: {
          ImageId: await dlami(cloud),
          KeyName: "key",
          UserData: Buffer.from("#cloud-config\nhostname: x\n").toString("base64"),
          IamInstanceProfile: { Name: "host" },
          InstanceInitiatedShutdownBehavior: "terminate",
          MetadataOptions: { HttpTokens: "required", InstanceMetadataTags: "enabled" },
          NetworkInterfaces: [
            { DeviceIndex: 0, AssociatePublicIpAddress: true, Groups: [network.groupId] },
          ],
          BlockDeviceMappings: [
            {
              DeviceName: "/dev/sda1",
              Ebs: {
                VolumeSize: 120,
                VolumeType: "gp3",
                Encrypted: true,
                DeleteOnTermination: true,
              },
            },
          ],
          TagSpecifications: [
            { ResourceType: "instance", Tags: [{ Key: "Name", Value: "dev-host" }] },
            { ResourceType: "volume", Tags: [{ Key: "Name", Value: "dev-disk" }] },
          ],
        },
      }),
    );
    templateId = template.LaunchTemplate!.LaunchTemplateId!;
  });

  after(async () => {
    await cloud.stop();
    for (const machine of machines.values()) assert.ok(machine.done.includes("terminate"));
  });

  afterEach(() => {
    cloud.clearFaults();
  });

  function fleet(
    overrides: readonly { InstanceType: ec2._InstanceType; SubnetId: string }[],
    market: "spot" | "on-demand" = "on-demand",
  ): Promise<ec2.CreateFleetCommandOutput> {
    return client.send(
      new ec2.CreateFleetCommand({
        Type: "instant",
        LaunchTemplateConfigs: [
          {
            LaunchTemplateSpecification: { LaunchTemplateId: templateId, Version: "$Latest" },
            Overrides: [...overrides],
          },
        ],
        TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: market },
      }),
    );
  }

  const state = async (id: string) => (await instanceOf(client, id)).State?.Name;
  const launched = (answer: ec2.CreateFleetCommandOutput): string =>
    answer.Instances![0]!.InstanceIds![0]!;

  it("takes the overrides of a fleet in order, past types and zones without capacity", async () => {
    const [a, b] = network.subnetIds as [string, string];
    cloud.setFault({ kind: "insufficient-capacity", instanceType: "g6.xlarge" });
    cloud.setFault({ kind: "insufficient-capacity", availabilityZone: "us-east-1a", times: 1 });
    const answer = await fleet(
      [
        { InstanceType: "g6.xlarge", SubnetId: a },
        { InstanceType: "g5.xlarge", SubnetId: a },
        { InstanceType: "g5.xlarge", SubnetId: b },
      ],
      "spot",
    );
    assert.deepEqual(
      answer.Errors!.map((error) => error.ErrorCode),
      ["InsufficientInstanceCapacity", "InsufficientInstanceCapacity"],
    );
    assert.equal(
      answer.Errors![0]!.LaunchTemplateAndOverrides!.Overrides!.InstanceType,
      "g6.xlarge",
    );
    assert.equal(answer.Instances![0]!.InstanceType, "g5.xlarge");
    assert.equal(answer.Instances![0]!.Lifecycle, "spot");
    const id = launched(answer);
    await until(async () => (await state(id)) === "running");
    const instance = await instanceOf(client, id);
    assert.equal(instance.Placement!.AvailabilityZone, "us-east-1b");
    assert.equal(instance.PrivateIpAddress, "127.0.0.1");
    assert.equal(instance.PublicIpAddress, "127.0.0.1");
    assert.equal(instance.MetadataOptions!.HttpTokens, "required");
    assert.match(instance.IamInstanceProfile!.Arn!, /instance-profile\/host$/);
    assert.equal(instance.KeyName, "key");
    assert.equal(instance.SubnetId, b);
    assert.equal(instance.SecurityGroups![0]!.GroupId, network.groupId);
    assert.equal(
      instance.Tags!.find((tag) => tag.Key === "aws:ec2:fleet-id")!.Value,
      answer.FleetId,
    );
    const volumes = await client.send(
      new ec2.DescribeVolumesCommand({
        Filters: [{ Name: "attachment.instance-id", Values: [id] }],
      }),
    );
    assert.equal(volumes.Volumes![0]!.Size, 120);
    assert.equal(volumes.Volumes![0]!.Tags![0]!.Value, "dev-disk");
    const { spec } = machines.get(id)!;
    assert.equal(spec.userData, "#cloud-config\nhostname: x\n");
    assert.deepEqual(spec.publicKeys, [publicKey]);
    assert.deepEqual(spec.gpu, { model: "A10G", count: 1, memoryMiB: 23028 });
    assert.equal(spec.diskGiB, 120);
    await client.send(
      new ec2.DeleteFleetsCommand({ FleetIds: [answer.FleetId!], TerminateInstances: true }),
    );
    await until(async () => (await state(id)) === "terminated");
    assert.deepEqual(machines.get(id)!.done, ["terminate"]);
  });

  it("answers a fleet that finds no capacity with errors and no instance", async () => {
    cloud.setFault({ kind: "insufficient-capacity", instanceType: "g6.*" });
    const answer = await fleet([{ InstanceType: "g6.xlarge", SubnetId: network.subnetIds[0]! }]);
    assert.deepEqual(answer.Instances, []);
    assert.match(answer.Errors![0]!.ErrorMessage!, /capacity/);
  });

  it("stays pending until the machine answers, and terminates with it when it powers off", async () => {
    let go: () => void = () => undefined;
    holdBoot = new Promise((resolve) => {
      go = resolve;
    });
    // A fleet answers when its machine has started, so that its addresses are known; a single instance does not wait.
    const { Instances } = await client.send(
      new ec2.RunInstancesCommand({
        LaunchTemplate: { LaunchTemplateId: templateId },
        InstanceType: "g5.xlarge",
        MinCount: 1,
        MaxCount: 1,
        SubnetId: network.subnetIds[0],
        InstanceInitiatedShutdownBehavior: "terminate",
      }),
    );
    const id = Instances![0]!.InstanceId!;
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.equal(await state(id), "pending");
    go();
    await until(async () => (await state(id)) === "running");
    machines.get(id)!.powerOff();
    await until(async () => (await state(id)) === "terminated");
  });

  it("reboots, shows the console, and stops and starts a machine", async () => {
    const run = await client.send(
      new ec2.RunInstancesCommand({
        LaunchTemplate: { LaunchTemplateId: templateId },
        SubnetId: network.subnetIds[0]!,
        InstanceType: "g6.xlarge",
        InstanceInitiatedShutdownBehavior: "stop",
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    const id = run.Instances![0]!.InstanceId!;
    await until(async () => (await state(id)) === "running");
    await client.send(new ec2.RebootInstancesCommand({ InstanceIds: [id] }));
    await until(() => Promise.resolve(machines.get(id)!.done.includes("reboot")));
    const console = await client.send(new ec2.GetConsoleOutputCommand({ InstanceId: id }));
    assert.equal(Buffer.from(console.Output!, "base64").toString(), `console of ${id}`);
    machines.get(id)!.powerOff();
    await until(async () => (await state(id)) === "stopped");
    await client.send(new ec2.StartInstancesCommand({ InstanceIds: [id] }));
    await until(async () => (await state(id)) === "running");
    await assert.rejects(
      client.send(new ec2.DeleteSecurityGroupCommand({ GroupId: network.groupId })),
      { name: "DependencyViolation" },
    );
    const ending = await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
    assert.equal(ending.TerminatingInstances![0]!.CurrentState!.Name, "shutting-down");
    await until(async () => (await state(id)) === "terminated");
  });

  it("terminates an instance whose machine does not boot", async () => {
    const run = await client.send(
      new ec2.RunInstancesCommand({
        LaunchTemplate: { LaunchTemplateId: templateId },
        UserData: Buffer.from("never boots").toString("base64"),
        SubnetId: network.subnetIds[0]!,
        InstanceType: "g6.xlarge",
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    const id = run.Instances![0]!.InstanceId!;
    await until(async () => (await state(id)) === "terminated");
  });

  it("serves the metadata service of a machine, by token only", async () => {
    const id = launched(
      await fleet([{ InstanceType: "g5.xlarge", SubnetId: network.subnetIds[0]! }]),
    );
    await until(async () => (await state(id)) === "running");
    const base = `${cloud.endpoint}/_cloud/imds/${id}/latest`;
    assert.equal((await fetch(`${base}/meta-data/instance-id`)).status, 401);
    const token = await fetch(`${base}/api/token`, {
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" },
    });
    const headers = { "x-aws-ec2-metadata-token": await token.text() };
    const read = async (path: string) => (await fetch(`${base}/${path}`, { headers })).text();
    assert.equal(await read("meta-data/instance-id"), id);
    assert.equal(await read("meta-data/tags/instance/Name"), "dev-host");
    assert.equal(await read("meta-data/iam/security-credentials/"), "host");
    const credentials = JSON.parse(await read("meta-data/iam/security-credentials/host")) as {
      Token: string;
    };
    assert.equal(credentials.Token, machines.get(id)!.spec.credentials.sessionToken);
    assert.match(await read("dynamic/instance-identity/document"), /"instanceType": "g5.xlarge"/);
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));
  });

  it("refuses a type that there is not, and one past the quota", async () => {
    const run = (InstanceType: string) =>
      client.send(
        new ec2.RunInstancesCommand({
          LaunchTemplate: { LaunchTemplateId: templateId },
          SubnetId: network.subnetIds[0]!,
          InstanceType: InstanceType as ec2._InstanceType,
          MinCount: 1,
          MaxCount: 1,
        }),
      );
    await assert.rejects(run("g99.xlarge"), { name: "InvalidParameterValue" });
    cloud.setFault({ kind: "quota", instanceType: "p5.48xlarge" });
    await assert.rejects(run("p5.48xlarge"), { name: "VcpuLimitExceeded" });
  });
});
