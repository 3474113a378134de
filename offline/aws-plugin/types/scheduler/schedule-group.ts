import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";
import { waitUntil } from "../../engine/waiting.ts";

async function find(context: Context, id: string) {
  const scheduler = await context.clients.scheduler();
  return unlessGone(scheduler.getScheduleGroup({ Name: id }));
}

/** Holds schedules, and their tags, which schedules have none of. */
export const scheduleGroup = resourceType({
  token: "aws:scheduler/scheduleGroup:ScheduleGroup",
  inputs: { name: string({ computed: true, replace: true }) },
  outputs: ["arn", "creationDate", "lastModificationDate", "state"],
  name: { property: "name", limit: 64 },
  tag: async (context, _id, change, state) => {
    const scheduler = await context.clients.scheduler();
    const ResourceArn = String(state["arn"]);
    if (change.remove.length > 0) {
      await scheduler.untagResource({ ResourceArn, TagKeys: [...change.remove] });
    }
    const Tags = awsTags(change.set);
    if (Tags.length > 0) await scheduler.tagResource({ ResourceArn, Tags });
  },
  create: async (context, inputs) => {
    const scheduler = await context.clients.scheduler();
    const id = inputs.name ?? "";
    await scheduler.createScheduleGroup({ Name: id, Tags: awsTags(inputs.tagsAll) });
    return { id };
  },
  read: async (context, id) => {
    const scheduler = await context.clients.scheduler();
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const { Tags } = await scheduler.listTagsForResource({ ResourceArn: found.Arn });
    return {
      arn: found.Arn,
      name: found.Name,
      creationDate: found.CreationDate?.toISOString(),
      lastModificationDate: found.LastModificationDate?.toISOString(),
      state: found.State ?? "ACTIVE",
      tagsAll: tagMap(Tags),
    };
  },
  // Its schedules go first, in the background: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html
  delete: async (context, id) => {
    const scheduler = await context.clients.scheduler();
    const found = await find(context, id);
    if (found === undefined) return;
    if (found.State !== "DELETING") await unlessGone(scheduler.deleteScheduleGroup({ Name: id }));
    await waitUntil(context, `the schedule group ${id} is gone`, 300, async () =>
      (await find(context, id)) === undefined ? true : undefined,
    );
  },
});
