import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import {
  AddTagsCommand,
  DeleteTagsCommand,
  paginateListInferenceComponents,
  paginateListTags,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import {
  ListTagsForResourceCommand,
  SchedulerClient,
  TagResourceCommand,
} from "@aws-sdk/client-scheduler";
import { expiryTag, protectTag, sweepTag } from "../../../components/identity.ts";
import type { LeaseLayer } from "../../../components/lease/lease-layers.ts";
import { scopeTag, type AccountScope } from "../account-scope.ts";

/** Times a call is tried, throttling included. */
const maxAttempts = 6;

/** Works with SageMaker; undefined where the endpoint is not there any more. */
async function onEndpoint<T>(
  scope: AccountScope,
  work: (client: SageMakerClient) => Promise<T>,
): Promise<T | undefined> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts });
  try {
    return await work(client);
  } catch (error) {
    if (error instanceof Error && /could not find|not found|does not exist/i.test(error.message))
      return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/** ARNs of what a run has in SageMaker, in the scope's region, that a sweep has marked. */
export async function markedInSageMaker(scope: AccountScope): Promise<readonly string[]> {
  const client = new ResourceGroupsTaggingAPIClient({ ...scope.client, maxAttempts });
  const { Key, Value } = scopeTag(scope);
  const TagFilters = [{ Key, Values: [Value] }, { Key: sweepTag }];
  const arns: string[] = [];
  try {
    for await (const page of paginateGetResources({ client }, { TagFilters })) {
      for (const { ResourceARN = "" } of page.ResourceTagMappingList ?? []) {
        if (ResourceARN.split(":")[2] === "sagemaker") arns.push(ResourceARN);
      }
    }
    return arns;
  } finally {
    client.destroy();
  }
}

/** Takes the marks of sweeps away, so that nothing goes on a reading from before. */
export async function unmarkInSageMaker(scope: AccountScope): Promise<void> {
  for (const ResourceArn of await markedInSageMaker(scope)) {
    await onEndpoint(scope, (client) =>
      client.send(new DeleteTagsCommand({ ResourceArn, TagKeys: [sweepTag] })),
    );
  }
}

/** ARNs of the inference components that an endpoint has its models from, which are ended before it. */
async function componentsOf(client: SageMakerClient, endpointArn: string): Promise<string[]> {
  const EndpointNameEquals = endpointArn.slice(endpointArn.lastIndexOf("/") + 1);
  const arns: string[] = [];
  for await (const page of paginateListInferenceComponents({ client }, { EndpointNameEquals })) {
    for (const { InferenceComponentArn = "" } of page.InferenceComponents ?? []) {
      arns.push(InferenceComponentArn);
    }
  }
  return arns;
}

/** The tag {@link protectTag} of one thing of SageMaker's, and of what goes with it. */
function protection(
  scope: AccountScope,
  ResourceArn: string,
  what: string,
  others: typeof componentsOf = () => Promise.resolve([]),
): LeaseLayer {
  return {
    name: `the tag ${protectTag} of the ${what}`,
    read: () =>
      onEndpoint(scope, async (client) => {
        for await (const { Tags = [] } of paginateListTags({ client }, { ResourceArn })) {
          const found = Tags.find(({ Key }) => Key === protectTag);
          if (found !== undefined) return found.Value;
        }
        return undefined;
      }),
    write: async (Value) => {
      await onEndpoint(scope, async (client) => {
        const Tags = [{ Key: protectTag, Value }];
        for (const arn of [ResourceArn, ...(await others(client, ResourceArn))]) {
          await client.send(new AddTagsCommand({ ResourceArn: arn, Tags }));
          // What a sweep has marked is not to go on a reading from before.
          await client.send(new DeleteTagsCommand({ ResourceArn: arn, TagKeys: [sweepTag] }));
        }
      });
    },
  };
}

/** The tag that keeps an endpoint, and what it has its model from, from whatever nobody asked for. */
export function endpointProtection(scope: AccountScope, endpointArn: string): LeaseLayer {
  return protection(scope, endpointArn, "endpoint", componentsOf);
}

/** The same of the notebook instance beside it. */
export function notebookProtection(scope: AccountScope, notebookArn: string): LeaseLayer {
  return protection(scope, notebookArn, "notebook");
}

/**
 * A tag of the group of a deployment's schedules, which is there while its endpoint is stopped: deadline or protection. With
 * another deadline the marks of sweeps go.
 */
export function groupTag(
  scope: AccountScope,
  ResourceArn: string,
  key: typeof expiryTag | typeof protectTag,
): LeaseLayer {
  const withScheduler = async <T>(work: (client: SchedulerClient) => Promise<T>): Promise<T> => {
    const client = new SchedulerClient({ ...scope.client, maxAttempts });
    try {
      return await work(client);
    } finally {
      client.destroy();
    }
  };
  return {
    name: `the tag ${key} of the schedules`,
    read: () =>
      withScheduler(async (client) => {
        const { Tags = [] } = await client.send(new ListTagsForResourceCommand({ ResourceArn }));
        return Tags.find(({ Key }) => Key === key)?.Value;
      }),
    write: async (Value) => {
      const Tags = [{ Key: key, Value }];
      await withScheduler((client) => client.send(new TagResourceCommand({ ResourceArn, Tags })));
      if (key === expiryTag) await unmarkInSageMaker(scope);
    },
  };
}
