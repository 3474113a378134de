import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { stackTag, type Tags } from "../../components/identity.ts";
import { tagMap, type ClientSettings } from "./account-scope.ts";

/** What of one type carries berth's tags in a region, by the resource tag index: `sagemaker:endpoint`, `s3`. */
export async function taggedThings(
  settings: ClientSettings,
  type: string,
): Promise<readonly { readonly arn: string; readonly tags: Tags }[]> {
  const client = new ResourceGroupsTaggingAPIClient(settings);
  try {
    const found: { arn: string; tags: Tags }[] = [];
    const asked = { ResourceTypeFilters: [type], TagFilters: [{ Key: stackTag }] };
    for await (const page of paginateGetResources({ client }, asked)) {
      for (const { ResourceARN: arn = "", Tags } of page.ResourceTagMappingList ?? []) {
        found.push({ arn, tags: tagMap(Tags) });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}
