import type { Context, TagChange } from "../../engine/resource-type.ts";
import { awsTags, tagMap, type TagMap } from "../../engine/tags.ts";

/** The answer; undefined when SageMaker says that the thing asked about is not there, for which it has no code of its own. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const missing =
      error instanceof Error &&
      error.name === "ValidationException" &&
      /Could not find|does not exist/i.test(error.message);
    if (missing) return undefined;
    throw error;
  }
}

/** Sets and removes tags of a model, configuration or endpoint. */
export async function tagSageMaker(
  context: Context,
  change: TagChange,
  arn: unknown,
): Promise<void> {
  const sagemaker = await context.clients.sagemaker();
  const ResourceArn = String(arn);
  if (change.remove.length > 0) {
    await sagemaker.deleteTags({ ResourceArn, TagKeys: [...change.remove] });
  }
  const Tags = awsTags(change.set);
  if (Tags.length > 0) await sagemaker.addTags({ ResourceArn, Tags });
}

/** All tags of a model, configuration or endpoint. */
export async function tagsOfArn(
  context: Context,
  ResourceArn: string | undefined,
): Promise<TagMap> {
  const sagemaker = await context.clients.sagemaker();
  return tagMap((await sagemaker.listTags({ ResourceArn })).Tags);
}

/** A role that was just made, and its policy, are not known everywhere for some seconds. */
export function isRoleUnknownYet(error: Error): boolean {
  return (
    error.name === "ValidationException" &&
    /Could not assume role|role .* is invalid|sts:AssumeRole/i.test(error.message)
  );
}
