import type { Properties } from "../../../offline/aws-plugin/engine/wire.ts";
import type { Kept, PluginClient } from "./plugin-client.ts";
import { budgetScenarios } from "./budget-scenarios.ts";
import { sagemakerScenarios } from "./sagemaker-scenarios.ts";

/** One type's way through its life. */
export interface Scenario {
  readonly token: string;
  /** Makes what it stands on; what it makes through `keep` goes at the end. */
  readonly inputs: (make: Make) => Promise<Properties>;
  /** What is changed in place. */
  readonly update: Properties;
  /** What makes a new resource. */
  readonly replace: Properties;
  /** Ids for the import, where it is not the resource's own. */
  readonly importId?: (made: Kept) => string;
  /** Inputs that AWS does not tell, so that an import lacks them. */
  readonly untold?: readonly string[];
}

/** Makes a resource that another one stands on. */
export type Make = (token: string, inputs: Properties) => Promise<Kept>;

/** A {@link Make} whose resources go in reverse by `clean`. */
export function maker(client: PluginClient): { make: Make; clean: () => Promise<void> } {
  const made: Kept[] = [];
  return {
    make: async (token, inputs) => {
      const kept = await client.create(token, `base${made.length}`, inputs);
      made.push(kept);
      return kept;
    },
    clean: async () => {
      for (const kept of made.toReversed()) await client.delete(kept);
    },
  };
}

/** A trust policy for tests. */
function trust(service: string): string {
  const Principal = { Service: service };
  const Statement = [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }];
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

function policy(action: string): string {
  const Statement = [{ Effect: "Allow", Action: [action], Resource: "*" }];
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

const tags = { Name: "one" };
const otherTags = { Name: "two", more: "yes" };
const vpc = (make: Make) => make("aws:ec2/vpc:Vpc", { cidrBlock: "10.9.0.0/16" });
const role = (make: Make, service = "ec2.amazonaws.com") =>
  make("aws:iam/role:Role", { assumeRolePolicy: trust(service) });
const bucket = (make: Make) => make("aws:s3/bucket:Bucket", {});
const definition = (state: string) =>
  JSON.stringify({ StartAt: state, States: { [state]: { Type: "Succeed" } } });
const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0qO9q0Qd1T9l0l0n0c7k6eF3Hc0lKxq5J7m3o8u1aZ berth";

const ruleScenario = (way: "Ingress" | "Egress"): Scenario => ({
  token: `aws:vpc/securityGroup${way}Rule:SecurityGroup${way}Rule`,
  inputs: async (make) => {
    const group = await make("aws:ec2/securityGroup:SecurityGroup", {
      vpcId: (await vpc(make)).id,
    });
    const ports = { ipProtocol: "tcp", fromPort: 22, toPort: 22 };
    return {
      securityGroupId: group.id,
      ...ports,
      cidrIpv4: "192.0.2.7/32",
      description: "d",
      tags,
    };
  },
  update: { fromPort: 23, toPort: 23, tags: otherTags },
  replace: { securityGroupId: "sg-12345678" },
});

/** The life of every type. */
export const scenarios: readonly Scenario[] = [
  {
    token: "aws:ec2/vpc:Vpc",
    inputs: () => Promise.resolve({ cidrBlock: "10.1.0.0/16", enableDnsHostnames: true, tags }),
    update: { enableDnsHostnames: false, tags: otherTags },
    replace: { cidrBlock: "10.2.0.0/16" },
  },
  {
    token: "aws:ec2/subnet:Subnet",
    inputs: async (make) => ({
      vpcId: (await vpc(make)).id,
      cidrBlock: "10.9.1.0/24",
      availabilityZone: "us-east-1b",
      mapPublicIpOnLaunch: true,
      tags,
    }),
    update: { mapPublicIpOnLaunch: false, tags: otherTags },
    replace: { availabilityZone: "us-east-1c" },
  },
  {
    token: "aws:ec2/internetGateway:InternetGateway",
    inputs: async (make) => ({ vpcId: (await vpc(make)).id, tags }),
    update: { tags: otherTags },
    replace: {},
  },
  {
    token: "aws:ec2/routeTable:RouteTable",
    inputs: async (make) => ({ vpcId: (await vpc(make)).id, tags }),
    update: { tags: otherTags },
    replace: { vpcId: "vpc-12345678" },
  },
  {
    token: "aws:ec2/route:Route",
    inputs: async (make) => {
      const vpcId = (await vpc(make)).id;
      const gateway = await make("aws:ec2/internetGateway:InternetGateway", { vpcId });
      const table = await make("aws:ec2/routeTable:RouteTable", { vpcId });
      const destinationCidrBlock = "0.0.0.0/0";
      return { routeTableId: table.id, destinationCidrBlock, gatewayId: gateway.id };
    },
    update: {},
    replace: { destinationCidrBlock: "198.51.100.0/24" },
    importId: ({ inputs }) => `${String(inputs["routeTableId"])}_0.0.0.0/0`,
  },
  {
    token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
    inputs: async (make) => {
      const vpcId = (await vpc(make)).id;
      const subnet = await make("aws:ec2/subnet:Subnet", { vpcId, cidrBlock: "10.9.1.0/24" });
      const table = await make("aws:ec2/routeTable:RouteTable", { vpcId });
      return { subnetId: subnet.id, routeTableId: table.id };
    },
    update: {},
    replace: { subnetId: "subnet-12345678" },
    importId: ({ inputs }) => `${String(inputs["subnetId"])}/${String(inputs["routeTableId"])}`,
  },
  {
    token: "aws:ec2/securityGroup:SecurityGroup",
    inputs: async (make) => ({
      vpcId: (await vpc(make)).id,
      description: "d",
      ingress: [
        { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["192.0.2.7/32", "192.0.2.9/32"] },
        { protocol: "tcp", fromPort: 80, toPort: 80, self: true },
      ],
      egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
      tags,
    }),
    update: {
      ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["192.0.2.8/32"] }],
      tags: otherTags,
    },
    replace: { description: "e" },
  },
  ruleScenario("Ingress"),
  ruleScenario("Egress"),
  {
    token: "aws:ec2/vpcEndpoint:VpcEndpoint",
    inputs: async (make) => {
      const vpcId = (await vpc(make)).id;
      const table = await make("aws:ec2/routeTable:RouteTable", { vpcId });
      const serviceName = "com.amazonaws.us-east-1.s3";
      return { vpcId, serviceName, routeTableIds: [table.id], tags };
    },
    update: { tags: otherTags },
    replace: { serviceName: "com.amazonaws.us-east-1.dynamodb" },
  },
  {
    token: "aws:ec2/keyPair:KeyPair",
    inputs: () => Promise.resolve({ publicKey, tags }),
    update: { tags: otherTags },
    replace: { keyName: "another" },
    untold: ["publicKey"],
  },
  {
    token: "aws:ec2/placementGroup:PlacementGroup",
    inputs: () => Promise.resolve({ strategy: "cluster", tags }),
    update: { tags: otherTags },
    replace: { strategy: "spread" },
  },
  {
    token: "aws:ec2/launchTemplate:LaunchTemplate",
    inputs: () =>
      Promise.resolve({
        imageId: "ami-12345678",
        instanceType: "g5.xlarge",
        userData: Buffer.from("#cloud-config\n").toString("base64"),
        iamInstanceProfile: { name: "some" },
        vpcSecurityGroupIds: ["sg-12345678"],
        instanceInitiatedShutdownBehavior: "terminate",
        metadataOptions: {
          httpEndpoint: "enabled",
          httpTokens: "required",
          httpPutResponseHopLimit: 1,
        },
        blockDeviceMappings: [
          {
            deviceName: "/dev/sda1",
            ebs: {
              volumeSize: 100,
              volumeType: "gp3",
              encrypted: "true",
              deleteOnTermination: "true",
            },
          },
        ],
        tagSpecifications: [{ resourceType: "instance", tags: { Name: "host" } }],
        updateDefaultVersion: true,
        tags,
      }),
    update: { instanceType: "g6.xlarge", tags: otherTags },
    replace: { name: "another" },
    untold: ["updateDefaultVersion"],
  },
  {
    token: "aws:iam/role:Role",
    inputs: () =>
      Promise.resolve({
        assumeRolePolicy: trust("ec2.amazonaws.com"),
        description: "d",
        inlinePolicies: [{ name: "one", policy: policy("s3:GetObject") }],
        managedPolicyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        tags,
      }),
    update: {
      assumeRolePolicy: trust("states.amazonaws.com"),
      description: "e",
      inlinePolicies: [{ name: "two", policy: policy("s3:ListBucket") }],
      managedPolicyArns: [],
      tags: otherTags,
    },
    replace: { path: "/other/" },
  },
  {
    token: "aws:iam/rolePolicy:RolePolicy",
    inputs: async (make) => ({ role: (await role(make)).id, policy: policy("s3:GetObject") }),
    update: { policy: policy("s3:ListBucket") },
    replace: { role: "another" },
  },
  {
    token: "aws:iam/instanceProfile:InstanceProfile",
    inputs: async (make) => ({ role: (await role(make)).id, tags }),
    update: { tags: otherTags },
    replace: { path: "/other/" },
  },
  {
    token: "aws:s3/bucket:Bucket",
    inputs: () => Promise.resolve({ forceDestroy: true, tags }),
    update: { forceDestroy: false, tags: otherTags },
    replace: { bucket: "another-bucket" },
    untold: ["forceDestroy"],
  },
  {
    token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    inputs: async (make) => ({ bucket: (await bucket(make)).id, blockPublicAcls: true }),
    update: { blockPublicPolicy: true, restrictPublicBuckets: true },
    replace: { bucket: "another-bucket" },
  },
  {
    token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    inputs: async (make) => ({
      bucket: (await bucket(make)).id,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
    }),
    update: {
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" },
          bucketKeyEnabled: true,
        },
      ],
    },
    replace: { bucket: "another-bucket" },
  },
  {
    token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    inputs: async (make) => ({
      bucket: (await bucket(make)).id,
      rules: [
        {
          id: "uploads",
          status: "Enabled",
          filter: { prefix: "" },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 2 },
        },
      ],
    }),
    update: {
      rules: [
        {
          id: "old",
          status: "Enabled",
          filter: { prefix: "logs/" },
          expiration: { days: 30 },
          noncurrentVersionExpiration: { noncurrentDays: 7 },
        },
      ],
    },
    replace: { bucket: "another-bucket" },
  },
  {
    token: "aws:s3/bucketPolicy:BucketPolicy",
    inputs: async (make) => ({ bucket: (await bucket(make)).id, policy: policy("s3:GetObject") }),
    update: { policy: policy("s3:ListBucket") },
    replace: { bucket: "another-bucket" },
  },
  {
    token: "aws:scheduler/scheduleGroup:ScheduleGroup",
    inputs: () => Promise.resolve({ tags }),
    update: { tags: otherTags },
    replace: { name: "another" },
  },
  {
    token: "aws:scheduler/schedule:Schedule",
    inputs: async (make) => ({
      groupName: (await make("aws:scheduler/scheduleGroup:ScheduleGroup", {})).id,
      description: "d",
      flexibleTimeWindow: { mode: "OFF" },
      scheduleExpression: "at(2031-01-01T00:00:00)",
      scheduleExpressionTimezone: "UTC",
      target: {
        arn: "arn:aws:states:us-east-1:123456789012:stateMachine:some",
        roleArn: (await role(make, "scheduler.amazonaws.com")).outputs["arn"],
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      },
    }),
    update: { scheduleExpression: "at(2031-01-02T00:00:00)", description: "e" },
    replace: { name: "another" },
  },
  {
    token: "aws:sfn/stateMachine:StateMachine",
    inputs: async (make) => ({
      roleArn: (await role(make, "states.amazonaws.com")).outputs["arn"],
      definition: definition("One"),
      tags,
    }),
    update: { definition: definition("Two"), tags: otherTags },
    replace: { type: "EXPRESS" },
  },
  {
    token: "aws:cloudwatch/logGroup:LogGroup",
    inputs: () => Promise.resolve({ retentionInDays: 7, tags }),
    update: { retentionInDays: 14, tags: otherTags },
    replace: { name: "another" },
  },
  ...budgetScenarios,
  ...sagemakerScenarios,
];
