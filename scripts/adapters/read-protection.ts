import type { AccountScope } from "./account-scope.ts";
import { protectionTags, scheduleProtection } from "./lease-layers.ts";
import type { RecordedSchedule, StackState } from "./stack-state.ts";

/** Whether the schedules say that nothing may end the deployment: all there is to ask while its endpoint is stopped. */
export async function scheduledProtection(
  scope: AccountScope,
  schedules: readonly RecordedSchedule[],
): Promise<string | undefined> {
  const atDeadline = schedules.find(({ kind }) => kind === "at-deadline");
  return atDeadline === undefined ? undefined : scheduleProtection(scope, atDeadline).read();
}

/** Whether a deployment is protected, "true" or "false"; undefined where nothing of it is left that would say so. */
export async function readProtection(
  scope: AccountScope,
  state: Pick<StackState, "endpointArn" | "schedules"> | undefined,
): Promise<string | undefined> {
  const tag = await protectionTags(scope, state?.endpointArn).read();
  if (tag !== undefined || state?.endpointArn === undefined) return tag;
  return scheduledProtection(scope, state.schedules);
}
