import { resourceType, type Context } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";

async function find(context: Context, name: string) {
  const ec2 = await context.clients.ec2();
  const request = { Filters: [{ Name: "group-name", Values: [name] }] };
  return (await ec2.describePlacementGroups(request)).PlacementGroups?.[0];
}

/** Where instances are close to each other, or apart. */
export const placementGroup = resourceType({
  token: "aws:ec2/placementGroup:PlacementGroup",
  inputs: {
    name: string({ computed: true, replace: true }),
    strategy: string({ required: true, replace: true, oneOf: ["cluster", "partition", "spread"] }),
  },
  outputs: ["arn", "placementGroupId"],
  name: { property: "name", limit: 255 },
  tag: async (context, id, change) => {
    const found = await find(context, id);
    if (found?.GroupId !== undefined) await tagEc2(context, found.GroupId, change);
  },
  create: async (context, { name, strategy, tagsAll }) => {
    const ec2 = await context.clients.ec2();
    await ec2.createPlacementGroup({
      GroupName: name,
      Strategy: strategy as "cluster",
      ...tagSpecification("placement-group", tagsAll),
    });
    return { id: name ?? "" };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    return {
      arn: found.GroupArn ?? (await ec2Arn(context, `placement-group/${id}`)),
      name: found.GroupName,
      placementGroupId: found.GroupId,
      strategy: found.Strategy,
      tagsAll: tagMap(found.Tags),
    };
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    if ((await find(context, id)) !== undefined) await ec2.deletePlacementGroup({ GroupName: id });
  },
});
