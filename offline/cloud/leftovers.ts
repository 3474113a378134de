import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as scheduler from "@aws-sdk/client-scheduler";
import { ListStateMachinesCommand, SFNClient } from "@aws-sdk/client-sfn";

/** Something in the account that a fresh one does not have. */
export interface Leftover {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  readonly region: string;
}

/** How one kind of thing is listed: the ids of those that a fresh account does not have. */
interface Question {
  readonly service: string;
  readonly kind: string;
  /** Asked once for the account, not once a region. */
  readonly global?: boolean;
  ask(settings: ClientSettings): Promise<readonly (string | undefined)[]>;
}

interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string };
  readonly maxAttempts: number;
}

/** EC2 makes a default VPC with subnets, a gateway and more in every region; these are not leftovers. */
async function defaultVpcs(client: ec2.EC2Client): Promise<Set<string | undefined>> {
  const { Vpcs = [] } = await client.send(new ec2.DescribeVpcsCommand());
  return new Set(Vpcs.filter((vpc) => vpc.IsDefault === true).map((vpc) => vpc.VpcId));
}

function ofEc2(
  kind: string,
  list: (
    client: ec2.EC2Client,
    defaults: Set<string | undefined>,
  ) => Promise<readonly (string | undefined)[]>,
): Question {
  return {
    service: "ec2",
    kind,
    ask: async (settings) => {
      const client = new ec2.EC2Client(settings);
      try {
        return await list(client, await defaultVpcs(client));
      } finally {
        client.destroy();
      }
    },
  };
}

const ended = new Set([
  "terminated",
  "deleted",
  "cancelled",
  "closed",
  "deleted_terminating",
  "deleted_running",
  "failed",
]);
const alive = (state: string | undefined): boolean => !ended.has(state ?? "");

const ec2Questions: readonly Question[] = [
  ofEc2("instance", async (client) => {
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand());
    const instances = Reservations.flatMap((each) => each.Instances ?? []);
    return instances.filter((each) => alive(each.State?.Name)).map((each) => each.InstanceId);
  }),
  ofEc2(
    "volume",
    async (client) =>
      (await client.send(new ec2.DescribeVolumesCommand())).Volumes?.map((each) => each.VolumeId) ??
      [],
  ),
  ofEc2("snapshot", async (client) => {
    const { Snapshots = [] } = await client.send(
      new ec2.DescribeSnapshotsCommand({ OwnerIds: ["self"] }),
    );
    // moto makes one for each of its own public images.
    return Snapshots.filter(
      (each) => !/^Auto-created snapshot for AMI/.test(each.Description ?? ""),
    ).map((each) => each.SnapshotId);
  }),
  ofEc2("security-group", async (client) =>
    ((await client.send(new ec2.DescribeSecurityGroupsCommand())).SecurityGroups ?? [])
      .filter((each) => each.GroupName !== "default")
      .map((each) => each.GroupId),
  ),
  ofEc2("vpc", async (client, defaults) =>
    ((await client.send(new ec2.DescribeVpcsCommand())).Vpcs ?? [])
      .map((each) => each.VpcId)
      .filter((id) => !defaults.has(id)),
  ),
  ofEc2("subnet", async (client) =>
    ((await client.send(new ec2.DescribeSubnetsCommand())).Subnets ?? [])
      .filter((each) => each.DefaultForAz !== true)
      .map((each) => each.SubnetId),
  ),
  ofEc2("route-table", async (client, defaults) =>
    ((await client.send(new ec2.DescribeRouteTablesCommand())).RouteTables ?? [])
      .filter((each) => !defaults.has(each.VpcId))
      .map((each) => each.RouteTableId),
  ),
  ofEc2("internet-gateway", async (client, defaults) =>
    ((await client.send(new ec2.DescribeInternetGatewaysCommand())).InternetGateways ?? [])
      .filter((each) => each.Attachments?.some((one) => defaults.has(one.VpcId)) !== true)
      .map((each) => each.InternetGatewayId),
  ),
  ofEc2("nat-gateway", async (client) =>
    ((await client.send(new ec2.DescribeNatGatewaysCommand())).NatGateways ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.NatGatewayId),
  ),
  ofEc2("network-interface", async (client) =>
    ((await client.send(new ec2.DescribeNetworkInterfacesCommand())).NetworkInterfaces ?? []).map(
      (each) => each.NetworkInterfaceId,
    ),
  ),
  ofEc2("vpc-endpoint", async (client) =>
    ((await client.send(new ec2.DescribeVpcEndpointsCommand())).VpcEndpoints ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.VpcEndpointId),
  ),
  ofEc2(
    "key-pair",
    async (client) =>
      (await client.send(new ec2.DescribeKeyPairsCommand())).KeyPairs?.map(
        (each) => each.KeyName,
      ) ?? [],
  ),
  ofEc2(
    "launch-template",
    async (client) =>
      (await client.send(new ec2.DescribeLaunchTemplatesCommand())).LaunchTemplates?.map(
        (each) => each.LaunchTemplateId,
      ) ?? [],
  ),
  ofEc2("fleet", async (client) =>
    ((await client.send(new ec2.DescribeFleetsCommand())).Fleets ?? [])
      .filter((each) => alive(each.FleetState))
      .map((each) => each.FleetId),
  ),
  ofEc2("spot-request", async (client) =>
    ((await client.send(new ec2.DescribeSpotInstanceRequestsCommand())).SpotInstanceRequests ?? [])
      .filter((each) => alive(each.State))
      .map((each) => each.SpotInstanceRequestId),
  ),
  ofEc2(
    "address",
    async (client) =>
      (await client.send(new ec2.DescribeAddressesCommand())).Addresses?.map(
        (each) => each.AllocationId,
      ) ?? [],
  ),
];

const otherQuestions: readonly Question[] = [
  {
    service: "iam",
    kind: "role",
    global: true,
    ask: async (settings) =>
      (await new iam.IAMClient(settings).send(new iam.ListRolesCommand())).Roles?.map(
        (each) => each.RoleName,
      ) ?? [],
  },
  {
    service: "iam",
    kind: "instance-profile",
    global: true,
    ask: async (settings) =>
      (
        await new iam.IAMClient(settings).send(new iam.ListInstanceProfilesCommand())
      ).InstanceProfiles?.map((each) => each.InstanceProfileName) ?? [],
  },
  {
    service: "iam",
    kind: "policy",
    global: true,
    ask: async (settings) =>
      (
        await new iam.IAMClient(settings).send(new iam.ListPoliciesCommand({ Scope: "Local" }))
      ).Policies?.map((each) => each.Arn) ?? [],
  },
  {
    service: "s3",
    kind: "bucket",
    global: true,
    ask: async (settings) =>
      (await new S3Client(settings).send(new ListBucketsCommand())).Buckets?.map(
        (each) => each.Name,
      ) ?? [],
  },
  {
    service: "scheduler",
    kind: "schedule-group",
    ask: async (settings) =>
      (
        (
          await new scheduler.SchedulerClient(settings).send(
            new scheduler.ListScheduleGroupsCommand(),
          )
        ).ScheduleGroups ?? []
      )
        .map((each) => each.Name)
        .filter((name) => name !== "default"),
  },
  {
    service: "scheduler",
    kind: "schedule",
    ask: async (settings) =>
      (
        await new scheduler.SchedulerClient(settings).send(new scheduler.ListSchedulesCommand())
      ).Schedules?.map((each) => `${each.GroupName ?? ""}/${each.Name ?? ""}`) ?? [],
  },
  {
    service: "stepfunctions",
    kind: "state-machine",
    ask: async (settings) =>
      (await new SFNClient(settings).send(new ListStateMachinesCommand())).stateMachines?.map(
        (each) => each.stateMachineArn,
      ) ?? [],
  },
  {
    service: "logs",
    kind: "log-group",
    ask: async (settings) =>
      (
        await new CloudWatchLogsClient(settings).send(new DescribeLogGroupsCommand())
      ).logGroups?.map((each) => each.logGroupName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "model",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(new sagemaker.ListModelsCommand())
      ).Models?.map((each) => each.ModelName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "endpoint-config",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(
          new sagemaker.ListEndpointConfigsCommand(),
        )
      ).EndpointConfigs?.map((each) => each.EndpointConfigName) ?? [],
  },
  {
    service: "sagemaker",
    kind: "endpoint",
    ask: async (settings) =>
      (
        await new sagemaker.SageMakerClient(settings).send(new sagemaker.ListEndpointsCommand())
      ).Endpoints?.map((each) => each.EndpointName) ?? [],
  },
];

/** Asks every API of the account, in every region that was used, what is there that a fresh account does not have. */
export async function findLeftovers(
  endpoint: string,
  regions: readonly string[],
): Promise<readonly Leftover[]> {
  const found: Leftover[] = [];
  for (const [index, region] of regions.entries()) {
    const settings: ClientSettings = {
      endpoint,
      region,
      credentials: { accessKeyId: "leftovers", secretAccessKey: "leftovers" },
      maxAttempts: 1,
    };
    const questions = [...ec2Questions, ...otherQuestions].filter(
      (each) => index === 0 || each.global !== true,
    );
    const answers = await Promise.all(
      questions.map(async ({ service, kind, ask }) =>
        (await ask(settings)).map((id) => ({ service, kind, id: id ?? "", region })),
      ),
    );
    found.push(...answers.flat());
  }
  return found;
}
