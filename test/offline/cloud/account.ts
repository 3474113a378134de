import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import * as ssm from "@aws-sdk/client-ssm";
import type { Ed25519Key } from "../../../components/ed25519-key.ts";
import type { Cloud } from "../../../offline/cloud/cloud.ts";

/** Where the emulation's image for GPU hosts is told. */
export const dlamiParameter =
  "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id";

/** An OpenSSH public key for key pairs. */
export const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGl5v0vLrPV2bYQ0cZ3m1rSxk1m7dNQf0s2bIY8CkzqF test";

/** Settings for any SDK client of this cloud; one attempt, so that a refusal is seen as it comes. */
export function settingsFor(cloud: Cloud, region = "us-east-1") {
  return {
    endpoint: cloud.endpoint,
    region,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  };
}

/** The id of the deep-learning image. */
export async function dlami(cloud: Cloud): Promise<string> {
  const client = new ssm.SSMClient(settingsFor(cloud));
  const { Parameter } = await client.send(new ssm.GetParameterCommand({ Name: dlamiParameter }));
  return Parameter!.Value!;
}

/** A VPC with a security group and one subnet a zone. */
export async function makeNetwork(client: ec2.EC2Client, zones: readonly string[]) {
  const vpc = await client.send(new ec2.CreateVpcCommand({ CidrBlock: "10.7.0.0/16" }));
  const vpcId = vpc.Vpc!.VpcId!;
  const group = await client.send(
    new ec2.CreateSecurityGroupCommand({ GroupName: "host", Description: "host", VpcId: vpcId }),
  );
  const subnetIds: string[] = [];
  for (const [index, zone] of zones.entries()) {
    const subnet = await client.send(
      new ec2.CreateSubnetCommand({
        VpcId: vpcId,
        CidrBlock: `10.7.${index}.0/24`,
        AvailabilityZone: zone,
      }),
    );
    subnetIds.push(subnet.Subnet!.SubnetId!);
  }
  return { vpcId, groupId: group.GroupId!, subnetIds };
}

/** A role in an instance profile of its own. */
export async function makeProfile(cloud: Cloud, name: string): Promise<void> {
  const client = new iam.IAMClient(settingsFor(cloud));
  await client.send(new iam.CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: "{}" }));
  await client.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: name }));
  await client.send(
    new iam.AddRoleToInstanceProfileCommand({ InstanceProfileName: name, RoleName: name }),
  );
}

/** User data that gives a machine its host key. */
export function seededUserData({ privateKey, publicKey }: Ed25519Key): string {
  const indented = privateKey.trim().replaceAll("\n", "\n    ");
  return `#cloud-config\nssh_keys:\n  ed25519_private: |\n    ${indented}\n  ed25519_public: ${publicKey}\n`;
}

/** An instance as DescribeInstances tells of it. */
export async function instanceOf(client: ec2.EC2Client, id: string): Promise<ec2.Instance> {
  const answer = await client.send(new ec2.DescribeInstancesCommand({ InstanceIds: [id] }));
  return answer.Reservations![0]!.Instances![0]!;
}

/** Waits until `ask` says yes, for at most `seconds`. */
export async function until(ask: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`not so within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
