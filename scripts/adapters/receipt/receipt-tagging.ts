import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { scopeTag, type AccountScope, type Question, type Remnant } from "../account-scope.ts";

/** What an ARN names: `arn:aws:s3:::name` is the service s3, and what follows is its own. */
export function remnantOfArn(arn: string): Remnant {
  const [, , service = "", , , ...rest] = arn.split(":");
  const id = rest.join(":");
  const kind = /^([a-zA-Z-]+)[:/]/.exec(id)?.[1] ?? "resource";
  return { service, kind: service === "s3" ? "bucket" : kind, id: arn };
}

async function ask(scope: AccountScope): Promise<readonly Remnant[]> {
  const client = new ResourceGroupsTaggingAPIClient(scope.client);
  try {
    const { Key, Value } = scopeTag(scope);
    const TagFilters = [{ Key, Values: [Value] }];
    const found: Remnant[] = [];
    for await (const page of paginateGetResources({ client }, { TagFilters })) {
      for (const { ResourceARN = "" } of page.ResourceTagMappingList ?? []) {
        // EC2 and SageMaker are asked themselves, since here what has ended stays for long; IAM and Scheduler are too, since here they are not complete.
        if (!/^arn:[^:]+:(ec2|iam|sagemaker|scheduler):/.test(ResourceARN))
          found.push(remnantOfArn(ResourceARN));
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Buckets, state machines, log groups and whatever else carries tags. */
export const taggingQuestion: Question = { name: "resource tags", ask };
