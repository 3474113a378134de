import {
  ListTagsForResourceCommand,
  paginateListScheduleGroups,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { stackTag } from "../../components/identity.ts";
import type { AccountScope, Question, Remnant } from "./receipt.ts";

async function ask({ stack, client: settings }: AccountScope): Promise<readonly Remnant[]> {
  const client = new SchedulerClient(settings);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListScheduleGroups({ client }, { NamePrefix: `${stack}-` })) {
      for (const { Arn = "", Name = "" } of page.ScheduleGroups ?? []) {
        const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn: Arn }));
        const ours = (Tags ?? []).some(({ Key, Value }) => Key === stackTag && Value === stack);
        if (ours) found.push({ service: "scheduler", kind: "schedule-group", id: Name });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Groups of schedules; the schedules go with their group and have no tags. */
export const schedulerQuestion: Question = { name: "schedules", ask };
