import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { variantName } from "./endpoint-configuration.ts";
import type { EndpointMode, EndpointPlan } from "./endpoint-plan.ts";

/** What scales. */
export interface EndpointScalingArgs {
  readonly plan: EndpointPlan;
  readonly endpointName: pulumi.Input<string>;
  /** What proves that it serves; one that does not cannot be scaled. */
  readonly after: pulumi.Resource;
  readonly tags: TagInputs;
}

/** Requests that wait for each instance before another one starts; one waits while one is answered. */
const backlogAnInstance = 2;
/** Share of an instance's concurrent requests at which another one starts. */
const busyShare = 0.75;
/** Seconds of quiet before an instance ends; an instance that starts takes minutes, and would be missed. */
const quietSeconds = 600;
const startSeconds = 300;

type Target = Pick<
  aws.appautoscaling.TargetArgs,
  "resourceId" | "scalableDimension" | "serviceNamespace"
>;

/**
 * Scales an endpoint between the plan's least and most instances; nothing where both are one number. An asynchronous one goes
 * by its backlog, and with a least of none an alarm wakes it at the first request, since a backlog for each of no instances
 * is no number (https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html). So it is with copies of a
 * component, which a request that finds none wakes
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html).
 */
export function endpointScaling(
  name: string,
  args: EndpointScalingArgs,
  parent: pulumi.Resource,
): void {
  const { plan, endpointName, after } = args;
  const { minInstances, maxInstances, mode } = plan.endpoint;
  if (minInstances === maxInstances) return;
  const scaled = new aws.appautoscaling.Target(
    `${name}-capacity`,
    {
      ...scaledThing(args),
      serviceNamespace: "sagemaker",
      minCapacity: minInstances,
      maxCapacity: maxInstances,
    },
    { parent, dependsOn: [after] },
  );
  const { resourceId, scalableDimension, serviceNamespace } = scaled;
  const target: Target = { resourceId, scalableDimension, serviceNamespace };
  new aws.appautoscaling.Policy(
    `${name}-load`,
    {
      ...target,
      policyType: "TargetTrackingScaling",
      targetTrackingScalingPolicyConfiguration: {
        ...(mode === "async" ? backlog(endpointName) : concurrency(plan, mode)),
        scaleInCooldown: quietSeconds,
        scaleOutCooldown: startSeconds,
      },
    },
    { parent },
  );
  if (minInstances === 0) wakeUp(name, args, target, parent);
}

/** Instances of the variant, or copies of the component, which carries the endpoint's name. */
function scaledThing({ plan, endpointName }: EndpointScalingArgs) {
  return plan.endpoint.mode === "components"
    ? {
        resourceId: pulumi.interpolate`inference-component/${endpointName}`,
        scalableDimension: "sagemaker:inference-component:DesiredCopyCount",
      }
    : {
        resourceId: pulumi.interpolate`endpoint/${endpointName}/variant/${variantName}`,
        scalableDimension: "sagemaker:variant:DesiredInstanceCount",
      };
}

function backlog(name: pulumi.Input<string>) {
  return {
    targetValue: backlogAnInstance,
    customizedMetricSpecification: {
      metricName: "ApproximateBacklogSizePerInstance",
      namespace: "AWS/SageMaker",
      dimensions: [{ name: "EndpointName", value: name }],
      statistic: "Average",
    },
  };
}

/** By requests under way rather than by requests a minute, which of a language model can take a second or a minute. */
function concurrency({ concurrency: most }: EndpointPlan, mode: EndpointMode) {
  return {
    targetValue: Math.max(1, most * busyShare),
    predefinedMetricSpecification: {
      predefinedMetricType:
        mode === "components"
          ? "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution"
          : "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    },
  };
}

/** The first instance, when something waits and there is none. */
function wakeUp(
  name: string,
  { plan, endpointName, tags }: EndpointScalingArgs,
  target: Target,
  parent: pulumi.Resource,
): void {
  const policy = new aws.appautoscaling.Policy(
    `${name}-wake-up`,
    {
      ...target,
      policyType: "StepScaling",
      stepScalingPolicyConfiguration: {
        adjustmentType: "ChangeInCapacity",
        metricAggregationType: "Average",
        cooldown: startSeconds,
        stepAdjustments: [{ metricIntervalLowerBound: "0", scalingAdjustment: 1 }],
      },
    },
    { parent },
  );
  new aws.cloudwatch.MetricAlarm(
    `${name}-waiting`,
    {
      alarmDescription: "berth: a request waits, and no instance runs",
      namespace: "AWS/SageMaker",
      ...(plan.endpoint.mode === "components"
        ? {
            metricName: "NoCapacityInvocationFailures",
            dimensions: { InferenceComponentName: endpointName },
            statistic: "Sum",
          }
        : {
            metricName: "HasBacklogWithoutCapacity",
            dimensions: { EndpointName: endpointName },
            statistic: "Average",
          }),
      period: 60,
      evaluationPeriods: 1,
      threshold: 1,
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      treatMissingData: "missing",
      alarmActions: [policy.arn],
      tags: namedTags(tags, `${name}-waiting`),
    },
    { parent },
  );
}
