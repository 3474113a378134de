import type {
  PolicyType,
  ScalingPolicy,
  StepScalingPolicyConfiguration,
  TargetTrackingScalingPolicyConfiguration,
} from "@aws-sdk/client-application-auto-scaling";
import { fromAws, toAws } from "../../engine/casing.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, list, number, object, string } from "../../engine/schema.ts";
import { importedName, targetName, type TargetName } from "./target.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  resourceId: string({ required: true, replace: true }),
  scalableDimension: string({ required: true, replace: true }),
  serviceNamespace: string({ required: true, replace: true }),
  policyType: string({
    default: "StepScaling",
    oneOf: ["StepScaling", "TargetTrackingScaling"],
  }),
  stepScalingPolicyConfiguration: object({
    adjustmentType: string(),
    cooldown: number(),
    metricAggregationType: string(),
    stepAdjustments: list(
      object({
        metricIntervalLowerBound: string(),
        metricIntervalUpperBound: string(),
        scalingAdjustment: number({ required: true }),
      }),
    ),
  }),
  targetTrackingScalingPolicyConfiguration: object({
    targetValue: number({ required: true }),
    disableScaleIn: boolean(),
    scaleInCooldown: number(),
    scaleOutCooldown: number(),
    predefinedMetricSpecification: object({ predefinedMetricType: string({ required: true }) }),
    customizedMetricSpecification: object({
      metricName: string(),
      namespace: string(),
      statistic: string(),
      unit: string(),
      dimensions: list(
        object({ name: string({ required: true }), value: string({ required: true }) }),
      ),
    }),
  }),
};
type Inputs = InputsOf<typeof inputs>;

/** The provider has bounds as text, so that none can be told from 0; the API as numbers. */
function steps(given: Inputs["stepScalingPolicyConfiguration"]) {
  if (given === undefined) return undefined;
  const bound = (text: string | undefined) =>
    text === undefined || text === "" ? undefined : Number(text);
  return {
    ...(toAws({ ...given, stepAdjustments: undefined }) as StepScalingPolicyConfiguration),
    StepAdjustments: (given.stepAdjustments ?? []).map((step) => ({
      MetricIntervalLowerBound: bound(step.metricIntervalLowerBound),
      MetricIntervalUpperBound: bound(step.metricIntervalUpperBound),
      ScalingAdjustment: step.scalingAdjustment,
    })),
  };
}

function stepsOf(found: StepScalingPolicyConfiguration | undefined): object | undefined {
  if (found === undefined) return undefined;
  const { StepAdjustments = [], ...rest } = found;
  const bound = (value: number | undefined) => (value === undefined ? undefined : String(value));
  return {
    ...(fromAws(rest) as object),
    stepAdjustments: StepAdjustments.map((step) => ({
      metricIntervalLowerBound: bound(step.MetricIntervalLowerBound),
      metricIntervalUpperBound: bound(step.MetricIntervalUpperBound),
      scalingAdjustment: step.ScalingAdjustment,
    })),
  };
}

async function find(
  context: Context,
  id: string,
  name: TargetName,
): Promise<ScalingPolicy | undefined> {
  const scaling = await context.clients.applicationAutoScaling();
  const { ScalingPolicies = [] } = await scaling.describeScalingPolicies({ ...name });
  return ScalingPolicies.find((each) => each.PolicyName === id);
}

async function put(context: Context, id: string, given: Inputs): Promise<void> {
  const scaling = await context.clients.applicationAutoScaling();
  await scaling.putScalingPolicy({
    ...targetName(given),
    PolicyName: id,
    PolicyType: given.policyType as PolicyType,
    StepScalingPolicyConfiguration: steps(given.stepScalingPolicyConfiguration),
    TargetTrackingScalingPolicyConfiguration: toAws(
      given.targetTrackingScalingPolicyConfiguration,
    ) as TargetTrackingScalingPolicyConfiguration | undefined,
  });
}

/** When and by how much something scales. */
export const policy = resourceType({
  token: "aws:appautoscaling/policy:Policy",
  inputs,
  outputs: ["arn", "alarmArns"],
  name: { property: "name", limit: 255 },
  create: async (context, given) => {
    const id = given.name ?? "";
    await put(context, id, given);
    return { id };
  },
  read: async (context, id, state) => {
    const name = id.split("/").at(-1) ?? id;
    const found = await find(context, name, importedName(id, 1) ?? targetName(state));
    if (found === undefined) return undefined;
    return {
      id: name,
      arn: found.PolicyARN,
      alarmArns: (found.Alarms ?? []).map(({ AlarmARN }) => AlarmARN),
      name: found.PolicyName,
      resourceId: found.ResourceId,
      scalableDimension: found.ScalableDimension,
      serviceNamespace: found.ServiceNamespace,
      policyType: found.PolicyType,
      stepScalingPolicyConfiguration: stepsOf(found.StepScalingPolicyConfiguration),
      targetTrackingScalingPolicyConfiguration: fromAws(
        found.TargetTrackingScalingPolicyConfiguration,
      ),
    };
  },
  update: (context, id, { news }) => put(context, id, news),
  delete: async (context, id, state) => {
    const name = targetName(state);
    if ((await find(context, id, name)) === undefined) return;
    const scaling = await context.clients.applicationAutoScaling();
    await scaling.deleteScalingPolicy({ ...name, PolicyName: id });
  },
});
