import { DescribeRegionsCommand, EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import { ListRoleTagsCommand, IAMClient, paginateListRoles } from "@aws-sdk/client-iam";
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import {
  ListTagsCommand,
  paginateListTrainingJobs,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import {
  ListTagsForResourceCommand,
  paginateListScheduleGroups,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { runTag, stackTag } from "../../components/identity.ts";
import { timestamp } from "../../components/lease/lease.ts";
import type { AccountThing } from "../../components/teardown/audit.ts";
import { tagMap, type AccountScope, type ClientSettings, type Remnant } from "./account-scope.ts";
import { findBudgets } from "./receipt/receipt-budgets.ts";
import { ec2Things } from "./receipt/receipt-ec2.ts";
import { remnantOfArn } from "./receipt/receipt-tagging.ts";

/** Everything that carries berth's tags, and GPU instances that do not. */
export interface AccountInventory {
  readonly things: readonly AccountThing[];
  /** Instances with GPUs that no tool of this kind owns up to. */
  readonly untaggedGpus: readonly (Remnant & { readonly region: string; readonly type: string })[];
  readonly unanswered: readonly { readonly question: string; readonly why: string }[];
}

/** Families with accelerators: https://aws.amazon.com/ec2/instance-types/#Accelerated_Computing */
const accelerated = /^(p\d|g\d|gr\d|inf\d|trn\d|dl\d|vt\d)/;

/** Regions that the account has enabled. */
export async function enabledRegions(client: ClientSettings): Promise<readonly string[]> {
  const ec2 = new EC2Client(client);
  try {
    const { Regions = [] } = await ec2.send(new DescribeRegionsCommand({}));
    return Regions.flatMap(({ RegionName }) => (RegionName === undefined ? [] : [RegionName]));
  } finally {
    ec2.destroy();
  }
}

type Things = readonly Omit<AccountThing, "region">[];

async function indexed(client: ClientSettings): Promise<Things> {
  const index = new ResourceGroupsTaggingAPIClient(client);
  try {
    const found: Omit<AccountThing, "region">[] = [];
    for await (const page of paginateGetResources(
      { client: index },
      { TagFilters: [{ Key: runTag }] },
    )) {
      for (const { ResourceARN = "", Tags } of page.ResourceTagMappingList ?? []) {
        if (/^arn:[^:]+:(ec2|iam|scheduler):/.test(ResourceARN)) continue;
        // The record of a training job stays for good; those that run are asked for.
        if (ResourceARN.includes(":training-job/")) continue;
        found.push({ ...remnantOfArn(ResourceARN), tags: tagMap(Tags) });
      }
    }
    return found;
  } finally {
    index.destroy();
  }
}

async function scheduleGroups(client: ClientSettings): Promise<Things> {
  const scheduler = new SchedulerClient(client);
  try {
    const found: Omit<AccountThing, "region">[] = [];
    for await (const page of paginateListScheduleGroups({ client: scheduler }, {})) {
      for (const { Arn: ResourceArn = "", Name: id = "" } of page.ScheduleGroups ?? []) {
        if (id === "default") continue;
        const { Tags } = await scheduler.send(new ListTagsForResourceCommand({ ResourceArn }));
        const tags = tagMap(Tags);
        if (stackTag in tags)
          found.push({ service: "scheduler", kind: "schedule-group", id, tags });
      }
    }
    return found;
  } finally {
    scheduler.destroy();
  }
}

/** Training jobs that have not ended. */
async function trainingJobs(client: ClientSettings): Promise<Things> {
  const sagemaker = new SageMakerClient(client);
  try {
    const found: Omit<AccountThing, "region">[] = [];
    for (const StatusEquals of ["InProgress", "Stopping"] as const) {
      for await (const page of paginateListTrainingJobs({ client: sagemaker }, { StatusEquals })) {
        for (const { TrainingJobArn: id = "" } of page.TrainingJobSummaries ?? []) {
          const { Tags } = await sagemaker.send(new ListTagsCommand({ ResourceArn: id }));
          const tags = tagMap(Tags);
          if (runTag in tags) found.push({ service: "sagemaker", kind: "training-job", id, tags });
        }
      }
    }
    return found;
  } finally {
    sagemaker.destroy();
  }
}

/** Roles, whose names begin with a stack's; they are asked for once, not once a region. */
async function roles(client: ClientSettings): Promise<Things> {
  const iam = new IAMClient(client);
  try {
    const found: Omit<AccountThing, "region">[] = [];
    for await (const page of paginateListRoles({ client: iam }, {})) {
      for (const { RoleName = "", Description = "", CreateDate } of page.Roles ?? []) {
        if (!Description.startsWith("berth:")) continue;
        const { Tags } = await iam.send(new ListRoleTagsCommand({ RoleName }));
        const tags = tagMap(Tags);
        const changedAt = CreateDate === undefined ? undefined : timestamp(CreateDate);
        if (stackTag in tags)
          found.push({ service: "iam", kind: "role", id: RoleName, tags, changedAt });
      }
    }
    return found;
  } finally {
    iam.destroy();
  }
}

/** Budgets by the name that berth gives them and its tag; they are the account's, and in no region. */
async function budgets(client: ClientSettings): Promise<Things> {
  const found = await findBudgets(client, (name) => name.includes("-budget-"));
  return found
    .filter(({ tags }) => stackTag in tags)
    .map(({ name: id, ...rest }) => ({ service: "budgets", kind: "budget", id, ...rest }));
}

async function strangeGpus(client: ClientSettings, region: string) {
  const ec2 = new EC2Client(client);
  try {
    const found = [];
    const Filters = [
      { Name: "instance-state-name", Values: ["pending", "running", "stopping", "stopped"] },
    ];
    for await (const page of paginateDescribeInstances({ client: ec2 }, { Filters })) {
      for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances)) {
        const { InstanceId: id = "", InstanceType: type = "", Tags } = instance;
        if (!accelerated.test(type) || stackTag in tagMap(Tags)) continue;
        found.push({ service: "ec2", kind: "instance", id, region, type });
      }
    }
    return found;
  } finally {
    ec2.destroy();
  }
}

/**
 * Asks the account, region by region, for all that berth made; a question without an answer is named.
 *
 * @param whole whether these are all of the account's regions: only then does a budget without anything else tell that its
 * stack is gone, so only then are budgets asked for
 */
export async function takeInventory(
  client: ClientSettings,
  regions: readonly string[],
  whole = false,
): Promise<AccountInventory> {
  const things: AccountThing[] = [];
  const untaggedGpus: AccountInventory["untaggedGpus"][number][] = [];
  const unanswered: { question: string; why: string }[] = [];
  const attempt = async (question: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      unanswered.push({ question, why: error instanceof Error ? error.message : String(error) });
    }
  };
  for (const [index, region] of regions.entries()) {
    const settings = { ...client, region };
    const scope: AccountScope = { stack: "", region, client: settings };
    const add = async (found: Promise<Things>) => {
      things.push(...(await found).map((thing) => ({ ...thing, region })));
    };
    await Promise.all([
      attempt(`EC2 in ${region}`, () => add(ec2Things(scope))),
      attempt(`tags in ${region}`, () => add(indexed(settings))),
      attempt(`training jobs in ${region}`, () => add(trainingJobs(settings))),
      attempt(`schedules in ${region}`, () => add(scheduleGroups(settings))),
      attempt(`GPU instances in ${region}`, async () => {
        untaggedGpus.push(...(await strangeGpus(settings, region)));
      }),
      ...(index === 0 ? [attempt("IAM roles", () => add(roles(settings)))] : []),
      ...(index === 0 && whole ? [attempt("budgets", () => add(budgets(settings)))] : []),
    ]);
  }
  return { things, untaggedGpus, unanswered };
}
