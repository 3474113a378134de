import * as budgets from "@aws-sdk/client-budgets";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { GetScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { DescribeStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import type { AccountScope, ClientSettings, Remnant } from "./account-scope.ts";
import { one, type Asks, type NamedThing } from "./named-thing.ts";
import { sagemakerAsks } from "./sagemaker-by-name.ts";

/** What asking by name came to. */
export interface NamedAnswer {
  /** How many things were asked for. */
  readonly asked: number;
  readonly left: readonly Remnant[];
  readonly unanswered: readonly { readonly question: string; readonly why: string }[];
}

const inEc2 = (settings: ClientSettings) => new ec2.EC2Client(settings);
const inIam = (settings: ClientSettings) => new iam.IAMClient(settings);

function ofEc2<Answer>(
  kind: string,
  ask: (client: ec2.EC2Client, id: string) => Promise<Answer>,
  there?: (answer: Answer) => boolean,
): Asks {
  return one({
    service: "ec2",
    kind,
    client: inEc2,
    ask: (client, { id }) => ask(client, id),
    ...(there === undefined ? {} : { there }),
  });
}

function arnOf({ id, outputs }: NamedThing): string {
  const { arn } = outputs;
  return typeof arn === "string" ? arn : id;
}

/** What a launch made: the instance, the spot request behind it, and its disks. */
const launched: Asks = async (settings, { outputs }) => {
  const { instanceId } = outputs;
  if (typeof instanceId !== "string") return [];
  const client = inEc2(settings);
  const filtered = (Name: string) => ({ Filters: [{ Name, Values: [instanceId] }] });
  try {
    const [instances, requests, volumes] = await Promise.all([
      client.send(new ec2.DescribeInstancesCommand(filtered("instance-id"))),
      client.send(new ec2.DescribeSpotInstanceRequestsCommand(filtered("instance-id"))),
      client.send(new ec2.DescribeVolumesCommand(filtered("attachment.instance-id"))),
    ]);
    const live = (instances.Reservations ?? [])
      .flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => !/^(terminated|shutting-down)$/.test(State?.Name ?? ""));
    const open = (requests.SpotInstanceRequests ?? []).filter(
      ({ State }) => State === "open" || State === "active",
    );
    const remnant = (kind: string, id = "") => ({ service: "ec2", kind, id });
    return [
      ...live.map(({ InstanceId }) => remnant("instance", InstanceId)),
      ...open.map(({ SpotInstanceRequestId }) => remnant("spot-request", SpotInstanceRequestId)),
      ...(volumes.Volumes ?? []).map(({ VolumeId }) => remnant("volume", VolumeId)),
    ];
  } finally {
    client.destroy();
  }
};

const asks: Readonly<Record<string, Asks>> = {
  "berth:index:HostLaunch": launched,
  "berth:index:GroupHost": launched,
  "aws:ec2/internetGateway:InternetGateway": ofEc2("internet-gateway", (client, id) =>
    client.send(new ec2.DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] })),
  ),
  "aws:ec2/keyPair:KeyPair": ofEc2("key-pair", (client, id) =>
    client.send(new ec2.DescribeKeyPairsCommand({ KeyNames: [id] })),
  ),
  "aws:ec2/placementGroup:PlacementGroup": ofEc2(
    "placement-group",
    (client, id) =>
      client.send(
        new ec2.DescribePlacementGroupsCommand({ Filters: [{ Name: "group-name", Values: [id] }] }),
      ),
    ({ PlacementGroups = [] }) => PlacementGroups.length > 0,
  ),
  "aws:ec2/launchTemplate:LaunchTemplate": ofEc2(
    "launch-template",
    (client, id) =>
      client.send(new ec2.DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] })),
    ({ LaunchTemplates = [] }) => LaunchTemplates.length > 0,
  ),
  "aws:ec2/routeTable:RouteTable": ofEc2("route-table", (client, id) =>
    client.send(new ec2.DescribeRouteTablesCommand({ RouteTableIds: [id] })),
  ),
  "aws:ec2/securityGroup:SecurityGroup": ofEc2("security-group", (client, id) =>
    client.send(new ec2.DescribeSecurityGroupsCommand({ GroupIds: [id] })),
  ),
  "aws:ec2/subnet:Subnet": ofEc2("subnet", (client, id) =>
    client.send(new ec2.DescribeSubnetsCommand({ SubnetIds: [id] })),
  ),
  "aws:ec2/vpc:Vpc": ofEc2("vpc", (client, id) =>
    client.send(new ec2.DescribeVpcsCommand({ VpcIds: [id] })),
  ),
  "aws:ec2/vpcEndpoint:VpcEndpoint": ofEc2(
    "vpc-endpoint",
    (client, id) => client.send(new ec2.DescribeVpcEndpointsCommand({ VpcEndpointIds: [id] })),
    ({ VpcEndpoints = [] }) =>
      VpcEndpoints.some(({ State }) => !/^delet/i.test(State ?? "available")),
  ),
  "aws:iam/role:Role": one({
    service: "iam",
    kind: "role",
    client: inIam,
    ask: (client, { id }) => client.send(new iam.GetRoleCommand({ RoleName: id })),
  }),
  "aws:iam/instanceProfile:InstanceProfile": one({
    service: "iam",
    kind: "instance-profile",
    client: inIam,
    ask: (client, { id }) =>
      client.send(new iam.GetInstanceProfileCommand({ InstanceProfileName: id })),
  }),
  "aws:s3/bucket:Bucket": one({
    service: "s3",
    kind: "bucket",
    client: (settings) =>
      new S3Client({ ...settings, forcePathStyle: settings.endpoint !== undefined }),
    ask: (client, { id }) => client.send(new HeadBucketCommand({ Bucket: id })),
    id: arnOf,
  }),
  "aws:scheduler/scheduleGroup:ScheduleGroup": one({
    service: "scheduler",
    kind: "schedule-group",
    client: (settings) => new SchedulerClient(settings),
    ask: (client, { id }) => client.send(new GetScheduleGroupCommand({ Name: id })),
  }),
  "aws:sfn/stateMachine:StateMachine": one({
    service: "states",
    kind: "stateMachine",
    client: (settings) => new SFNClient(settings),
    ask: (client, { id }) => client.send(new DescribeStateMachineCommand({ stateMachineArn: id })),
  }),
  ...sagemakerAsks,
  "aws:cloudwatch/logGroup:LogGroup": one({
    service: "logs",
    kind: "log-group",
    client: (settings) => new CloudWatchLogsClient(settings),
    ask: (client, { id }) =>
      client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: id, limit: 50 })),
    // A service makes its group again when it writes once more.
    there: ({ logGroups = [] }, { id }) =>
      logGroups.some(({ logGroupName }) => logGroupName === id),
    id: arnOf,
  }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": one({
    service: "cloudwatch",
    kind: "alarm",
    client: (settings) => new CloudWatchClient(settings),
    ask: (client, { id }) => client.send(new DescribeAlarmsCommand({ AlarmNames: [id] })),
    there: ({ MetricAlarms = [] }) => MetricAlarms.length > 0,
    id: arnOf,
  }),
  "aws:budgets/budget:Budget": one({
    service: "budgets",
    kind: "budget",
    client: (settings) => new budgets.BudgetsClient(settings),
    ask: (client, { id }) => {
      const [AccountId, BudgetName] = id.split(":");
      return client.send(new budgets.DescribeBudgetCommand({ AccountId, BudgetName }));
    },
    id: ({ id }) => id.slice(id.indexOf(":") + 1),
  }),
};

const notFound =
  /NotFound|resource not found|NoSuch|does ?n[o']t exist|could not find|DoesNotExist/i;

/** What sweeps other regions is in them, and says so. */
function regionOf({ outputs }: NamedThing): string | undefined {
  const { region } = outputs;
  return typeof region === "string" && region !== "" ? region : undefined;
}

/** Asks for each thing that a state knew, by its name or id, whatever has become of its tags. */
export async function askByName(
  scope: AccountScope,
  things: readonly NamedThing[],
): Promise<NamedAnswer> {
  const left: Remnant[] = [];
  const unanswered: NamedAnswer["unanswered"][number][] = [];
  const known = things.filter(({ type }) => type in asks);
  await Promise.all(
    known.map(async (thing) => {
      try {
        const region = regionOf(thing) ?? scope.client.region;
        const found = (await asks[thing.type]?.({ ...scope.client, region }, thing)) ?? [];
        left.push(
          ...(region === scope.client.region ? found : found.map((each) => ({ ...each, region }))),
        );
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        if (notFound.test(`${name} ${message}`)) return;
        unanswered.push({ question: thing.id, why: `${name}: ${message}` });
      }
    }),
  );
  return { asked: known.length, left, unanswered };
}

/** Types that are asked for by name. */
export const namedTypes: readonly string[] = Object.keys(asks);
