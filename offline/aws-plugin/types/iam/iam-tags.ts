import type { IAM } from "@aws-sdk/client-iam";
import type { Context, TagChange } from "../../engine/resource-type.ts";
import { awsTags } from "../../engine/tags.ts";

/** Sets and removes tags of a role or an instance profile, which IAM knows by name. */
export async function tagIam(
  context: Context,
  change: TagChange,
  untag: (iam: IAM, TagKeys: string[]) => Promise<unknown>,
  tag: (iam: IAM, Tags: { Key: string; Value: string }[]) => Promise<unknown>,
): Promise<void> {
  const iam = await context.clients.iam();
  if (change.remove.length > 0) await untag(iam, [...change.remove]);
  const tags = awsTags(change.set);
  if (tags.length > 0) await tag(iam, tags);
}
