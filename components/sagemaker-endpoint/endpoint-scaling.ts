import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import type { EndpointMode } from "./endpoint-plan.ts";

/** What scales: a variant's instances, or a component's copies. */
export interface EndpointScalingArgs {
  readonly mode: EndpointMode;
  readonly minInstances: number;
  readonly maxInstances: number;
  /** Requests that one instance or copy answers at once. */
  readonly concurrency: number;
  readonly endpointName: pulumi.Input<string>;
  /** The variant's name; the component's where there are components. */
  readonly servedName: pulumi.Input<string>;
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
 * Scales a variant or a component between the plan's least and most; nothing where both are one number. An asynchronous one goes
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
  const { endpointName, after, minInstances, maxInstances, mode } = args;
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
        ...(mode === "async" ? backlog(endpointName) : concurrency(args)),
        scaleInCooldown: quietSeconds,
        scaleOutCooldown: startSeconds,
      },
    },
    { parent },
  );
  if (minInstances === 0) wakeUp(name, args, target, parent);
}

function scaledThing({ mode, endpointName, servedName }: EndpointScalingArgs) {
  return mode === "components"
    ? {
        resourceId: pulumi.interpolate`inference-component/${servedName}`,
        scalableDimension: "sagemaker:inference-component:DesiredCopyCount",
      }
    : {
        resourceId: pulumi.interpolate`endpoint/${endpointName}/variant/${servedName}`,
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
function concurrency({ concurrency: most, mode }: EndpointScalingArgs) {
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
  { mode, endpointName, servedName, tags }: EndpointScalingArgs,
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
      ...(mode === "components"
        ? {
            metricName: "NoCapacityInvocationFailures",
            dimensions: { InferenceComponentName: servedName },
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
