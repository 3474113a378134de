import type { ComparisonOperator, MetricAlarm, Statistic } from "@aws-sdk/client-cloudwatch";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, map, number, set, string } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  alarmDescription: string(),
  actionsEnabled: boolean({ default: true }),
  alarmActions: set(string()),
  okActions: set(string()),
  namespace: string(),
  metricName: string(),
  dimensions: map(),
  statistic: string(),
  period: number(),
  evaluationPeriods: number({ required: true }),
  datapointsToAlarm: number(),
  threshold: number(),
  comparisonOperator: string({ required: true }),
  treatMissingData: string({ default: "missing" }),
};
type Inputs = InputsOf<typeof inputs>;

async function find(context: Context, id: string): Promise<MetricAlarm | undefined> {
  const cloudwatch = await context.clients.cloudwatch();
  return (await cloudwatch.describeAlarms({ AlarmNames: [id] })).MetricAlarms?.[0];
}

async function put(context: Context, id: string, given: Inputs): Promise<void> {
  const cloudwatch = await context.clients.cloudwatch();
  await cloudwatch.putMetricAlarm({
    AlarmName: id,
    AlarmDescription: given.alarmDescription,
    ActionsEnabled: given.actionsEnabled,
    AlarmActions: given.alarmActions,
    OKActions: given.okActions,
    Namespace: given.namespace,
    MetricName: given.metricName,
    Dimensions: Object.entries(given.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value })),
    Statistic: given.statistic as Statistic,
    Period: given.period,
    EvaluationPeriods: given.evaluationPeriods,
    DatapointsToAlarm: given.datapointsToAlarm,
    Threshold: given.threshold,
    ComparisonOperator: given.comparisonOperator as ComparisonOperator,
    TreatMissingData: given.treatMissingData,
    Tags: awsTags(given.tagsAll),
  });
}

/** Looks at a metric, and does something when it crosses a line. */
export const metricAlarm = resourceType({
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 255 },
  tag: async (context, _id, change, state) => {
    const cloudwatch = await context.clients.cloudwatch();
    const ResourceARN = String(state["arn"]);
    if (change.remove.length > 0) {
      await cloudwatch.untagResource({ ResourceARN, TagKeys: [...change.remove] });
    }
    const Tags = awsTags(change.set);
    if (Tags.length > 0) await cloudwatch.tagResource({ ResourceARN, Tags });
  },
  create: async (context, given) => {
    const id = given.name ?? "";
    await put(context, id, given);
    return { id };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const cloudwatch = await context.clients.cloudwatch();
    const tags = await cloudwatch.listTagsForResource({ ResourceARN: found.AlarmArn });
    const dimensions = (found.Dimensions ?? []).map(({ Name = "", Value = "" }) => [Name, Value]);
    return {
      arn: found.AlarmArn,
      name: found.AlarmName,
      alarmDescription: found.AlarmDescription,
      actionsEnabled: found.ActionsEnabled ?? true,
      alarmActions: found.AlarmActions ?? [],
      okActions: found.OKActions ?? [],
      namespace: found.Namespace,
      metricName: found.MetricName,
      dimensions: Object.fromEntries(dimensions) as object,
      statistic: found.Statistic,
      period: found.Period,
      evaluationPeriods: found.EvaluationPeriods,
      datapointsToAlarm: found.DatapointsToAlarm,
      threshold: found.Threshold,
      comparisonOperator: found.ComparisonOperator,
      treatMissingData: found.TreatMissingData ?? "missing",
      tagsAll: tagMap(tags.Tags),
    };
  },
  update: (context, id, { news }) => put(context, id, news),
  delete: async (context, id) => {
    const cloudwatch = await context.clients.cloudwatch();
    await cloudwatch.deleteAlarms({ AlarmNames: [id] });
  },
});
