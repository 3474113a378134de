import type { Context, TagChange } from "../../engine/resource-type.ts";
import { awsTags, tagMap, type TagMap } from "../../engine/tags.ts";

/** Tags of a budget or of one of its actions. */
export async function tagsOfArn(context: Context, ResourceARN: string): Promise<TagMap> {
  const budgets = await context.clients.budgets();
  return tagMap((await budgets.listTagsForResource({ ResourceARN })).ResourceTags);
}

/** Sets and removes tags of a budget or of one of its actions. */
export async function tagBudgets(
  context: Context,
  change: TagChange,
  ResourceARN: string,
): Promise<void> {
  const budgets = await context.clients.budgets();
  if (change.remove.length > 0) {
    await budgets.untagResource({ ResourceARN, ResourceTagKeys: [...change.remove] });
  }
  const ResourceTags = awsTags(change.set);
  if (ResourceTags.length > 0) await budgets.tagResource({ ResourceARN, ResourceTags });
}
