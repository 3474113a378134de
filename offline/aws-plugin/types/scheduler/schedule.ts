import type {
  ActionAfterCompletion,
  CreateScheduleInput,
  FlexibleTimeWindow,
  ScheduleState,
  Target,
} from "@aws-sdk/client-scheduler";
import { fromAws, toAws } from "../../engine/casing.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { json, number, object, string } from "../../engine/schema.ts";
import { retryWhile } from "../../engine/waiting.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  groupName: string({ computed: true, replace: true }),
  description: string(),
  scheduleExpression: string({ required: true }),
  scheduleExpressionTimezone: string({ default: "UTC" }),
  startDate: string(),
  endDate: string(),
  state: string({ default: "ENABLED", oneOf: ["ENABLED", "DISABLED"] }),
  kmsKeyArn: string(),
  actionAfterCompletion: string({ computed: true, oneOf: ["NONE", "DELETE"] }),
  flexibleTimeWindow: object(
    {
      mode: string({ required: true, oneOf: ["OFF", "FLEXIBLE"] }),
      maximumWindowInMinutes: number(),
    },
    { required: true },
  ),
  target: object(
    {
      arn: string({ required: true }),
      roleArn: string({ required: true }),
      input: json(),
      deadLetterConfig: object({ arn: string({ required: true }) }),
      retryPolicy: object({
        maximumEventAgeInSeconds: number({ default: 86_400 }),
        maximumRetryAttempts: number({ default: 185 }),
      }),
    },
    { required: true },
  ),
};
type Inputs = InputsOf<typeof inputs>;

function request(given: Inputs): CreateScheduleInput {
  return {
    Name: given.name,
    GroupName: given.groupName,
    Description: given.description,
    ScheduleExpression: given.scheduleExpression,
    ScheduleExpressionTimezone: given.scheduleExpressionTimezone,
    StartDate: given.startDate === undefined ? undefined : new Date(given.startDate),
    EndDate: given.endDate === undefined ? undefined : new Date(given.endDate),
    State: given.state as ScheduleState,
    KmsKeyArn: given.kmsKeyArn,
    ActionAfterCompletion: given.actionAfterCompletion as ActionAfterCompletion,
    FlexibleTimeWindow: toAws(given.flexibleTimeWindow) as FlexibleTimeWindow,
    Target: toAws(given.target) as Target,
  };
}

/** RFC 3339 to the second, as the real provider reads a time back. */
function seconds(time: Date | undefined): string | undefined {
  return time?.toISOString().replace(/\.\d+Z$/, "Z");
}

function parts(id: string): { GroupName: string; Name: string } {
  const [GroupName = "default", Name = ""] = id.split("/");
  return { GroupName, Name };
}

/** A role that was just made is not known everywhere for some seconds. */
function isRoleUnknownYet(error: Error): boolean {
  return error.name === "ValidationException" && /role|assume/i.test(error.message);
}

async function attempt<T>(context: Context, call: () => Promise<T>): Promise<T> {
  return retryWhile(context, 60, isRoleUnknownYet, call);
}

/** Does something at a time, or every so often. It takes no tags; its group does. */
export const schedule = resourceType({
  token: "aws:scheduler/schedule:Schedule",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 64 },
  create: async (context, given) => {
    const scheduler = await context.clients.scheduler();
    await attempt(context, () => scheduler.createSchedule(request(given)));
    return { id: `${given.groupName ?? "default"}/${given.name ?? ""}` };
  },
  read: async (context, id) => {
    const scheduler = await context.clients.scheduler();
    const found = await unlessGone(scheduler.getSchedule(parts(id)));
    if (found === undefined) return undefined;
    return {
      arn: found.Arn,
      name: found.Name,
      groupName: found.GroupName ?? "default",
      description: found.Description,
      scheduleExpression: found.ScheduleExpression,
      scheduleExpressionTimezone: found.ScheduleExpressionTimezone ?? "UTC",
      startDate: seconds(found.StartDate),
      endDate: seconds(found.EndDate),
      state: found.State ?? "ENABLED",
      kmsKeyArn: found.KmsKeyArn,
      actionAfterCompletion: found.ActionAfterCompletion ?? "NONE",
      flexibleTimeWindow: fromAws(found.FlexibleTimeWindow),
      target: fromAws(found.Target),
    };
  },
  // An update that leaves something out resets it: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
  update: async (context, id, { olds, news }) => {
    const scheduler = await context.clients.scheduler();
    const kept = { actionAfterCompletion: olds["actionAfterCompletion"] as string | undefined };
    const whole = { ...request({ ...kept, ...news }), ...parts(id) };
    await attempt(context, () => scheduler.updateSchedule(whole));
  },
  delete: async (context, id) => {
    const scheduler = await context.clients.scheduler();
    await unlessGone(scheduler.deleteSchedule(parts(id)));
  },
});
