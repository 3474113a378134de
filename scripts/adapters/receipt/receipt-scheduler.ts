import {
  ListTagsForResourceCommand,
  paginateListScheduleGroups,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import { isTagged, type AccountScope, type Question, type Remnant } from "../account-scope.ts";

async function ask(scope: AccountScope): Promise<readonly Remnant[]> {
  const client = new SchedulerClient(scope.client);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListScheduleGroups(
      { client },
      { NamePrefix: `${scope.stack}-` },
    )) {
      for (const { Arn = "", Name = "" } of page.ScheduleGroups ?? []) {
        const { Tags } = await client.send(new ListTagsForResourceCommand({ ResourceArn: Arn }));
        if (isTagged(Tags, scope))
          found.push({ service: "scheduler", kind: "schedule-group", id: Name });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Groups of schedules; the schedules go with their group and have no tags. */
export const schedulerQuestion: Question = { name: "schedules", ask };
