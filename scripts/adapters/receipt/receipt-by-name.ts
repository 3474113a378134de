import * as budgets from "@aws-sdk/client-budgets";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as ec2 from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { GetScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { DescribeStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import type { AccountScope, ClientSettings, Remnant } from "../account-scope.ts";
import { launchedThings } from "../launched-things.ts";

/** One thing that a state knows, by the name that AWS has for it. */
export interface NamedThing {
  /** Pulumi's token of its type. */
  readonly type: string;
  readonly id: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** What asking by name came to. */
export interface NamedAnswer {
  /** How many things were asked for. */
  readonly asked: number;
  readonly left: readonly Remnant[];
  readonly unanswered: readonly { readonly question: string; readonly why: string }[];
}

/** Whether one thing is still there; an error that says "not found" means that it is not. */
type Asks = (settings: ClientSettings, thing: NamedThing) => Promise<readonly Remnant[]>;

interface Disposable {
  destroy(): void;
}

/** One that is asked for and answers is there, unless `ended` says that it has ended. */
function one<Client extends Disposable, Answer>(question: {
  readonly service: string;
  readonly kind: string;
  readonly client: (settings: ClientSettings) => Client;
  readonly ask: (client: Client, thing: NamedThing) => Promise<Answer>;
  /** @default every answer */
  readonly there?: (answer: Answer, thing: NamedThing) => boolean;
  /** As the questions by tag say it. @default the state's id */
  readonly id?: (thing: NamedThing) => string;
}): Asks {
  const { service, kind, there = () => true, id = (thing: NamedThing) => thing.id } = question;
  return async (settings, thing) => {
    const client = question.client(settings);
    try {
      const answer = await question.ask(client, thing);
      return there(answer, thing) ? [{ service, kind, id: id(thing) }] : [];
    } finally {
      client.destroy();
    }
  };
}

const inEc2 = (settings: ClientSettings) => new ec2.EC2Client(settings);
const inIam = (settings: ClientSettings) => new iam.IAMClient(settings);
const inSageMaker = (settings: ClientSettings) => new sagemaker.SageMakerClient(settings);

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

function ofSageMaker<Answer>(
  kind: string,
  ask: (client: sagemaker.SageMakerClient, id: string) => Promise<Answer>,
  there?: (answer: Answer) => boolean,
): Asks {
  return one({
    service: "sagemaker",
    kind,
    client: inSageMaker,
    ask: (client, { id }) => ask(client, id),
    ...(there === undefined ? {} : { there }),
  });
}

/** Made by AWS's provider or by berth's own. */
const endpointConfig = ofSageMaker("endpoint-config", (client, EndpointConfigName) =>
  client.send(new sagemaker.DescribeEndpointConfigCommand({ EndpointConfigName })),
);

const asks: Readonly<Record<string, Asks>> = {
  "berth:index:HostLaunch": launchedThings,
  "berth:index:GroupHost": launchedThings,
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
  "berth:index:InferenceComponent": ofSageMaker(
    "inference-component",
    (client, InferenceComponentName) =>
      client.send(new sagemaker.DescribeInferenceComponentCommand({ InferenceComponentName })),
  ),
  "berth:index:HostedEndpoint": ofSageMaker("endpoint", (client, EndpointName) =>
    client.send(new sagemaker.DescribeEndpointCommand({ EndpointName })),
  ),
  "berth:index:TrainingJob": ofSageMaker(
    "training-job",
    (client, TrainingJobName) =>
      client.send(new sagemaker.DescribeTrainingJobCommand({ TrainingJobName })),
    ({ TrainingJobStatus }) => /^(InProgress|Stopping)$/.test(TrainingJobStatus ?? ""),
  ),
  "aws:sagemaker/endpointConfiguration:EndpointConfiguration": endpointConfig,
  "berth:index:HostedConfiguration": endpointConfig,
  "aws:sagemaker/model:Model": ofSageMaker("model", (client, ModelName) =>
    client.send(new sagemaker.DescribeModelCommand({ ModelName })),
  ),
  "aws:sagemaker/notebookInstance:NotebookInstance": ofSageMaker(
    "notebook-instance",
    (client, NotebookInstanceName) =>
      client.send(new sagemaker.DescribeNotebookInstanceCommand({ NotebookInstanceName })),
  ),
  "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration":
    ofSageMaker(
      "notebook-instance-lifecycle-config",
      (client, NotebookInstanceLifecycleConfigName) =>
        client.send(
          new sagemaker.DescribeNotebookInstanceLifecycleConfigCommand({
            NotebookInstanceLifecycleConfigName,
          }),
        ),
    ),
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
