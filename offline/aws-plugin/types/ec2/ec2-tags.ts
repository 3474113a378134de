import type { ResourceType as Ec2Kind, TagSpecification } from "@aws-sdk/client-ec2";
import type { Context, TagChange } from "../../engine/resource-type.ts";
import { awsTags, type TagMap } from "../../engine/tags.ts";

/** Sets and removes tags of anything in EC2 that has an id. */
export async function tagEc2(context: Context, id: string, change: TagChange): Promise<void> {
  const ec2 = await context.clients.ec2();
  if (change.remove.length > 0) {
    await ec2.deleteTags({ Resources: [id], Tags: change.remove.map((Key) => ({ Key })) });
  }
  if (Object.keys(change.set).length > 0) {
    await ec2.createTags({ Resources: [id], Tags: awsTags(change.set) });
  }
}

/** The tags of something about to be made; empty when there are none, since EC2 takes no empty ones. */
export function tagSpecification(
  kind: Ec2Kind,
  tags: TagMap | undefined,
): { TagSpecifications?: TagSpecification[] } {
  if (Object.keys(tags ?? {}).length === 0) return {};
  return { TagSpecifications: [{ ResourceType: kind, Tags: awsTags(tags) }] };
}

/** The ARN of something in EC2, by its kind and id (`vpc/vpc-1`). */
export async function ec2Arn(context: Context, resource: string): Promise<string> {
  return `arn:aws:ec2:${context.region}:${await context.clients.account()}:${resource}`;
}

/** What is being deleted beside it may still hold on to a part of a network. */
export function isInUse(error: Error): boolean {
  return error.name === "DependencyViolation";
}
