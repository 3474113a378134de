import { protectTag } from "../../components/identity.ts";
import type { AccountScope } from "./account-scope.ts";
import { groupTag } from "./endpoint/endpoint-layers.ts";
import { protectionTags, scheduleProtection } from "./lease-layers.ts";
import type { StackState } from "./stack-state.ts";

/**
 * Whether the schedules say that nothing may end the deployment, "true" or "false": all there is to ask while its endpoint is
 * stopped. Their group carries the tag, and a schedule that `berth protect` has switched off says so too.
 */
export async function scheduledProtection(
  scope: AccountScope,
  { groupArn, schedules }: Pick<StackState, "groupArn" | "schedules">,
): Promise<string | undefined> {
  const atDeadline = schedules.find(({ kind }) => kind === "at-deadline");
  const layers = [
    ...(groupArn === undefined ? [] : [groupTag(scope, groupArn, protectTag)]),
    ...(atDeadline === undefined ? [] : [scheduleProtection(scope, atDeadline)]),
  ];
  const said = await Promise.all(layers.map((layer) => layer.read()));
  return said.includes("true") ? "true" : said.find((each) => each !== undefined);
}

/** Whether a deployment is protected, "true" or "false"; undefined where nothing of it is left that would say so. */
export async function readProtection(
  scope: AccountScope,
  state: Pick<StackState, "endpointArn" | "groupArn" | "schedules"> | undefined,
): Promise<string | undefined> {
  const tag = await protectionTags(scope, state?.endpointArn).read();
  if (tag !== undefined || state?.endpointArn === undefined) return tag;
  return scheduledProtection(scope, state);
}
