import type {
  LoggingConfiguration,
  StateMachineType,
  TracingConfiguration,
} from "@aws-sdk/client-sfn";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, json, object, string } from "../../engine/schema.ts";
import { retryWhile, waitUntil } from "../../engine/waiting.ts";
import type { TagMap } from "../../engine/tags.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  definition: json({ required: true }),
  roleArn: string({ required: true }),
  type: string({ default: "STANDARD", oneOf: ["STANDARD", "EXPRESS"], replace: true }),
  loggingConfiguration: object(
    {
      includeExecutionData: boolean(),
      level: string({ oneOf: ["ALL", "ERROR", "FATAL", "OFF"] }),
      logDestination: string(),
    },
    { computed: true },
  ),
  tracingConfiguration: object({ enabled: boolean() }, { computed: true }),
};
type Inputs = InputsOf<typeof inputs>;

function logging(given: Inputs["loggingConfiguration"]): LoggingConfiguration | undefined {
  if (given === undefined) return undefined;
  return {
    level: given.level as "ALL",
    includeExecutionData: given.includeExecutionData,
    ...(given.logDestination === undefined
      ? {}
      : { destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: given.logDestination } }] }),
  };
}

function loggingOf(found: LoggingConfiguration | undefined): Inputs["loggingConfiguration"] {
  const { level = "OFF", includeExecutionData = false, destinations = [] } = found ?? {};
  const logDestination = destinations[0]?.cloudWatchLogsLogGroup?.logGroupArn;
  return { level, includeExecutionData, logDestination };
}

function tracing(given: Inputs["tracingConfiguration"]): TracingConfiguration | undefined {
  return given === undefined ? undefined : { enabled: given.enabled };
}

/** A role that was just made is not known everywhere for some seconds. */
function isRoleUnknownYet(error: Error): boolean {
  return (
    error.name === "AccessDeniedException" || /Neither the .* can be assumed/.test(error.message)
  );
}

async function tagsOf(context: Context, arn: string): Promise<TagMap> {
  const sfn = await context.clients.sfn();
  const { tags = [] } = await sfn.listTagsForResource({ resourceArn: arn });
  return Object.fromEntries(tags.map(({ key = "", value = "" }) => [key, value]));
}

async function find(context: Context, id: string) {
  const sfn = await context.clients.sfn();
  return unlessGone(sfn.describeStateMachine({ stateMachineArn: id }));
}

/** Steps that Step Functions takes, in Amazon States Language. */
export const stateMachine = resourceType({
  token: "aws:sfn/stateMachine:StateMachine",
  inputs,
  outputs: ["arn", "creationDate", "description", "revisionId", "status"],
  volatile: ["description", "revisionId"],
  name: { property: "name", limit: 80 },
  tag: async (context, id, change) => {
    const sfn = await context.clients.sfn();
    if (change.remove.length > 0) {
      await sfn.untagResource({ resourceArn: id, tagKeys: [...change.remove] });
    }
    const tags = Object.entries(change.set).map(([key, value]) => ({ key, value }));
    if (tags.length > 0) await sfn.tagResource({ resourceArn: id, tags });
  },
  create: async (context, given) => {
    const sfn = await context.clients.sfn();
    const tags = Object.entries(given.tagsAll ?? {}).map(([key, value]) => ({ key, value }));
    const { stateMachineArn } = await retryWhile(context, 60, isRoleUnknownYet, () =>
      sfn.createStateMachine({
        name: given.name,
        definition: given.definition,
        roleArn: given.roleArn,
        type: given.type as StateMachineType,
        loggingConfiguration: logging(given.loggingConfiguration),
        tracingConfiguration: tracing(given.tracingConfiguration),
        tags,
      }),
    );
    return { id: stateMachineArn ?? "" };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    return {
      arn: found.stateMachineArn,
      name: found.name,
      definition: found.definition,
      roleArn: found.roleArn,
      type: found.type ?? "STANDARD",
      loggingConfiguration: loggingOf(found.loggingConfiguration),
      tracingConfiguration: { enabled: found.tracingConfiguration?.enabled ?? false },
      creationDate: found.creationDate?.toISOString(),
      description: found.description ?? "",
      revisionId: found.revisionId ?? "",
      status: found.status ?? "ACTIVE",
      tagsAll: await tagsOf(context, id),
    };
  },
  update: async (context, id, { news, changed }) => {
    const content = ["definition", "roleArn", "loggingConfiguration", "tracingConfiguration"];
    if (!content.some((key) => changed.has(key))) return;
    const sfn = await context.clients.sfn();
    await retryWhile(context, 60, isRoleUnknownYet, () =>
      sfn.updateStateMachine({
        stateMachineArn: id,
        definition: news.definition,
        roleArn: news.roleArn,
        loggingConfiguration: logging(news.loggingConfiguration),
        tracingConfiguration: tracing(news.tracingConfiguration),
      }),
    );
  },
  // It goes when its running executions have ended: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
  delete: async (context, id) => {
    const sfn = await context.clients.sfn();
    await unlessGone(sfn.deleteStateMachine({ stateMachineArn: id }));
    await waitUntil(context, `the state machine ${id} is gone`, 300, async () =>
      (await find(context, id)) === undefined ? true : undefined,
    );
  },
});
