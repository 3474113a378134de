import assert from "node:assert/strict";
import * as budgets from "@aws-sdk/client-budgets";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  ListTagsForResourceCommand as AlarmTags,
} from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand as LogTags,
} from "@aws-sdk/client-cloudwatch-logs";
import { DescribeRouteTablesCommand, EC2Client } from "@aws-sdk/client-ec2";
import * as iam from "@aws-sdk/client-iam";
import { GetBucketTaggingCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import * as scheduler from "@aws-sdk/client-scheduler";
import * as sfn from "@aws-sdk/client-sfn";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { tagMap } from "../../scripts/adapters/account-scope.ts";
import { ec2Things } from "../../scripts/adapters/receipt/receipt-ec2.ts";
import { settingsFor } from "../offline/cloud/account.ts";

/** One thing of the account, with the tags that it has. */
export interface WalkedThing {
  readonly kind: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
}

type Settings = ReturnType<typeof settingsFor>;
type Walk = (
  settings: Settings,
  own: (name: string | undefined) => boolean,
) => Promise<WalkedThing[]>;

/** Makes each that is found by its name into one with tags. */
function each<Found>(
  kind: string,
  found: readonly Found[] | undefined,
  told: (each: Found) => Promise<readonly [id: string | undefined, tags: WalkedThing["tags"]]>,
): Promise<WalkedThing[]> {
  return Promise.all(
    (found ?? []).map(async (one) => {
      const [id = "", tags] = await told(one);
      return { kind, id, tags };
    }),
  );
}

const walks: readonly Walk[] = [
  async (settings, own) => {
    const client = new iam.IAMClient(settings);
    const { Roles = [] } = await client.send(new iam.ListRolesCommand({}));
    const { InstanceProfiles = [] } = await client.send(new iam.ListInstanceProfilesCommand({}));
    const roles = Roles.filter(({ RoleName }) => own(RoleName));
    const profiles = InstanceProfiles.filter((found) => own(found.InstanceProfileName));
    return [
      ...(await each("role", roles, async ({ RoleName }) => {
        const { Tags } = await client.send(new iam.ListRoleTagsCommand({ RoleName }));
        return [RoleName, tagMap(Tags)];
      })),
      ...(await each("instance profile", profiles, async ({ InstanceProfileName }) => {
        const asked = new iam.GetInstanceProfileCommand({ InstanceProfileName });
        const { InstanceProfile } = await client.send(asked);
        return [InstanceProfileName, tagMap(InstanceProfile?.Tags)];
      })),
    ];
  },
  async (settings, own) => {
    const client = new scheduler.SchedulerClient(settings);
    const { ScheduleGroups = [] } = await client.send(new scheduler.ListScheduleGroupsCommand({}));
    const groups = ScheduleGroups.filter(({ Name }) => own(Name));
    return each("schedule group", groups, async ({ Name, Arn: ResourceArn }) => {
      const asked = new scheduler.ListTagsForResourceCommand({ ResourceArn });
      return [Name, tagMap((await client.send(asked)).Tags)];
    });
  },
  async (settings, own) => {
    const client = new sfn.SFNClient(settings);
    const { stateMachines = [] } = await client.send(new sfn.ListStateMachinesCommand({}));
    const machines = stateMachines.filter(({ name }) => own(name));
    return each("state machine", machines, async ({ name, stateMachineArn: resourceArn }) => {
      const { tags = [] } = await client.send(new sfn.ListTagsForResourceCommand({ resourceArn }));
      return [name, tagMap(tags.map(({ key, value }) => ({ Key: key, Value: value })))];
    });
  },
  async (settings, own) => {
    const client = new S3Client({ ...settings, forcePathStyle: true });
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    const buckets = Buckets.filter(({ Name }) => own(Name));
    return each("bucket", buckets, async ({ Name }) => {
      const found = await client.send(new GetBucketTaggingCommand({ Bucket: Name }));
      return [Name, tagMap(found.TagSet)];
    });
  },
  async (settings, own) => {
    const client = new sagemaker.SageMakerClient(settings);
    const [components, trainings, notebooks, lifecycles, ...served] = await Promise.all([
      client.send(new sagemaker.ListInferenceComponentsCommand({})),
      client.send(new sagemaker.ListTrainingJobsCommand({})),
      client.send(new sagemaker.ListNotebookInstancesCommand({})),
      client.send(new sagemaker.ListNotebookInstanceLifecycleConfigsCommand({})),
      client.send(new sagemaker.ListModelsCommand({})),
      client.send(new sagemaker.ListEndpointConfigsCommand({})),
      client.send(new sagemaker.ListEndpointsCommand({})),
    ]);
    const [models, configs, endpoints] = served;
    const named = [
      ...(components.InferenceComponents ?? []).map((found) => {
        return ["component", found.InferenceComponentName, found.InferenceComponentArn];
      }),
      ...(trainings.TrainingJobSummaries ?? []).map((found) => {
        return ["training job", found.TrainingJobName, found.TrainingJobArn];
      }),
      ...(notebooks.NotebookInstances ?? []).map((found) => {
        return ["notebook", found.NotebookInstanceName, found.NotebookInstanceArn];
      }),
      ...(lifecycles.NotebookInstanceLifecycleConfigs ?? []).map((found) => {
        const { NotebookInstanceLifecycleConfigName: name, NotebookInstanceLifecycleConfigArn } =
          found;
        return ["lifecycle config", name, NotebookInstanceLifecycleConfigArn];
      }),
      ...(models.Models ?? []).map(({ ModelName, ModelArn }) => ["model", ModelName, ModelArn]),
      ...(configs.EndpointConfigs ?? []).map((found) => {
        return ["endpoint config", found.EndpointConfigName, found.EndpointConfigArn];
      }),
      ...(endpoints.Endpoints ?? []).map((found) => {
        return ["endpoint", found.EndpointName, found.EndpointArn];
      }),
    ].filter(([, name]) => own(name));
    const told = await Promise.all(
      named.map(async ([kind = "", id = "", ResourceArn]) => {
        const { Tags } = await client.send(new sagemaker.ListTagsCommand({ ResourceArn }));
        return { kind, id, tags: tagMap(Tags) };
      }),
    );
    return told;
  },
  async (settings, own) => {
    const client = new CloudWatchLogsClient(settings);
    const { logGroups = [] } = await client.send(new DescribeLogGroupsCommand({}));
    const groups = logGroups.filter(({ logGroupName = "" }) => own(logGroupName.split("/").at(-1)));
    return each("log group", groups, async ({ logGroupName, arn = "" }) => {
      const resourceArn = arn.replace(/:\*$/, "");
      const { tags = {} } = await client.send(new LogTags({ resourceArn }));
      return [logGroupName, tags];
    });
  },
  async (settings, own) => {
    const client = new CloudWatchClient(settings);
    const { MetricAlarms = [] } = await client.send(new DescribeAlarmsCommand({}));
    // What target tracking makes for itself takes no tags of ours.
    const alarms = MetricAlarms.filter(({ AlarmName }) => own(AlarmName));
    return each("alarm", alarms, async ({ AlarmName, AlarmArn: ResourceARN }) => {
      const { Tags } = await client.send(new AlarmTags({ ResourceARN }));
      return [AlarmName, tagMap(Tags)];
    });
  },
  async (settings, own) => {
    const client = new budgets.BudgetsClient(settings);
    const AccountId = "123456789012";
    const { Budgets = [] } = await client.send(new budgets.DescribeBudgetsCommand({ AccountId }));
    const found = Budgets.filter(({ BudgetName }) => own(BudgetName));
    return each("budget", found, async ({ BudgetName = "" }) => {
      const ResourceARN = `arn:aws:budgets::${AccountId}:budget/${BudgetName}`;
      const asked = new budgets.ListTagsForResourceCommand({ ResourceARN });
      return [BudgetName, tagMap((await client.send(asked)).ResourceTags)];
    });
  },
];

/**
 * Everything of a stack in an account, found by its name where things have names, and in EC2 by its tag, with all tags it has.
 * What EC2 made of a launch (interfaces, disks) is among it.
 */
export async function walkAccount(
  settings: Settings,
  stack: string,
): Promise<readonly WalkedThing[]> {
  const own = (name: string | undefined) => (name ?? "").startsWith(`${stack}-`);
  const scope = { stack, region: settings.region, client: settings };
  const inEc2 = await ec2Things(scope);
  const others = await Promise.all(walks.map((walk) => walk(settings, own)));
  return [...inEc2.map(({ kind, id, tags }) => ({ kind, id, tags })), ...others.flat()];
}

const contract = [
  ...["berth:stack", "berth:env", "berth:owner", "berth:model", "berth:run-id"],
  ...["berth:hourly-usd", "berth:protect", "berth:managed-by"],
];

async function enoughThings(cloud: Cloud, stack: string): Promise<readonly WalkedThing[]> {
  const things = await walkAccount(settingsFor(cloud), stack);
  assert.ok(things.length >= 8, `only ${things.length} things were found`);
  return things;
}

function incompleteOf(things: readonly WalkedThing[]): readonly string[] {
  return things.flatMap(({ kind, id, tags }) => {
    const missing = contract.filter((name) => (tags[name] ?? "") === "");
    return missing.length === 0 ? [] : [`${kind} ${id}: ${missing.join(", ")}`];
  });
}

/** Every thing of a stack that may carry tags, and what of the contract it lacks. */
export async function incompleteTags(cloud: Cloud, stack: string): Promise<readonly string[]> {
  return incompleteOf(await enoughThings(cloud, stack));
}

/** The same in an account that holds one stack, and what is there without its tags. */
export async function lackingTags(cloud: Cloud, stack: string): Promise<readonly string[]> {
  const things = await enoughThings(cloud, stack);
  const known = new Set(things.map(({ id }) => id));
  // AWS makes a VPC's main table with it, untagged and free; it goes with it.
  const { RouteTables = [] } = await new EC2Client(settingsFor(cloud)).send(
    new DescribeRouteTablesCommand({ Filters: [{ Name: "association.main", Values: ["true"] }] }),
  );
  for (const { RouteTableId = "" } of RouteTables) known.add(RouteTableId);
  const strange = (await cloud.leftovers()).filter(
    ({ service, id }) => service === "ec2" && !known.has(id),
  );
  const untagged = strange.map(({ kind, id }) => `${kind} ${id} has none of the stack's tags`);
  return [...untagged, ...incompleteOf(things)];
}
