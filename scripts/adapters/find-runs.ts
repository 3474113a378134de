import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import {
  DescribeTagsCommand,
  EC2Client,
  type DescribeTagsCommandOutput,
} from "@aws-sdk/client-ec2";
import { ownerTag, runTag, stackTag } from "../../components/identity.ts";
import type { AccountScope } from "./account-scope.ts";

/** A deployment that the account knows by its tags alone. */
export interface TaggedRun {
  readonly runId: string;
  readonly owner: string;
}

interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

function runOf(tags: readonly Tag[], stack: string): TaggedRun | undefined {
  const value = (key: string) => tags.find(({ Key }) => Key === key)?.Value;
  const runId = value(runTag);
  if (value(stackTag) !== stack || runId === undefined) return undefined;
  return { runId, owner: value(ownerTag) ?? "" };
}

/** EC2's own tags, by resource. */
async function ec2Tags(client: EC2Client): Promise<ReadonlyMap<string, readonly Tag[]>> {
  const byId = new Map<string, Tag[]>();
  let NextToken: string | undefined;
  do {
    const page: DescribeTagsCommandOutput = await client.send(
      new DescribeTagsCommand({
        Filters: [{ Name: "key", Values: [stackTag, runTag, ownerTag] }],
        NextToken,
      }),
    );
    for (const { ResourceId = "", Key, Value } of page.Tags ?? []) {
      byId.set(ResourceId, [...(byId.get(ResourceId) ?? []), { Key, Value }]);
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== "");
  return byId;
}

/** Every deployment of a stack's name that left something tagged in the account, when no state tells of it. */
export async function findRuns(scope: AccountScope): Promise<readonly TaggedRun[]> {
  const runs = new Map<string, TaggedRun>();
  const note = (tags: readonly Tag[]) => {
    const run = runOf(tags, scope.stack);
    if (run !== undefined) runs.set(run.runId, run);
  };
  const index = new ResourceGroupsTaggingAPIClient(scope.client);
  const ec2 = new EC2Client(scope.client);
  try {
    for (const tags of (await ec2Tags(ec2)).values()) note(tags);
    const TagFilters = [{ Key: stackTag, Values: [scope.stack] }];
    for await (const page of paginateGetResources({ client: index }, { TagFilters })) {
      for (const { Tags = [] } of page.ResourceTagMappingList ?? []) note(Tags);
    }
  } finally {
    index.destroy();
    ec2.destroy();
  }
  return [...runs.values()].toSorted((a, b) => a.runId.localeCompare(b.runId));
}
