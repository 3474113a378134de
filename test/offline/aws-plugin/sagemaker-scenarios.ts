import type { Make, Scenario } from "./scenarios.ts";

const tags = { Name: "one" };
const otherTags = { Name: "two", more: "yes" };

const role = (make: Make, service: string) => {
  const Statement = [
    { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" },
  ];
  const assumeRolePolicy = JSON.stringify({ Version: "2012-10-17", Statement });
  return make("aws:iam/role:Role", { assumeRolePolicy });
};
const servingImage = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:server-sagemaker-cuda-v2.6";
const inBase64 = (script: string) => Buffer.from(`#!/bin/bash\n${script}\n`).toString("base64");
const model = async (make: Make) => {
  const executionRoleArn = String((await role(make, "sagemaker.amazonaws.com")).outputs["arn"]);
  return make("aws:sagemaker/model:Model", {
    executionRoleArn,
    primaryContainer: { image: servingImage },
  });
};
const variant = async (make: Make) => ({
  variantName: "AllTraffic",
  modelName: (await model(make)).id,
  instanceType: "ml.g5.xlarge",
  initialInstanceCount: 1,
  containerStartupHealthCheckTimeoutInSeconds: 600,
  inferenceAmiVersion: "al2023-ami-sagemaker-inference-gpu-4-1",
});

const scalable = async (make: Make) => {
  const productionVariants = [await variant(make)];
  const config = await make("aws:sagemaker/endpointConfiguration:EndpointConfiguration", {
    productionVariants,
  });
  const endpoint = await make("aws:sagemaker/endpoint:Endpoint", { endpointConfigName: config.id });
  return {
    resourceId: `endpoint/${endpoint.id}/variant/AllTraffic`,
    scalableDimension: "sagemaker:variant:DesiredInstanceCount",
    serviceNamespace: "sagemaker",
  };
};

/** The types of an endpoint, of what scales it, and of a notebook. */
export const sagemakerScenarios: readonly Scenario[] = [
  {
    token: "aws:sagemaker/model:Model",
    inputs: async (make) => ({
      executionRoleArn: (await role(make, "sagemaker.amazonaws.com")).outputs["arn"],
      primaryContainer: { image: servingImage, environment: { SM_VLLM_MODEL: "/opt/ml/model" } },
      tags,
    }),
    update: { tags: otherTags },
    replace: { primaryContainer: { image: servingImage } },
  },
  {
    token: "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    inputs: async (make) => ({
      productionVariants: [await variant(make)],
      asyncInferenceConfig: {
        outputConfig: { s3OutputPath: "s3://answers/", s3FailurePath: "s3://failures/" },
        clientConfig: { maxConcurrentInvocationsPerInstance: 2 },
      },
      tags,
    }),
    update: { tags: otherTags },
    replace: { kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/1" },
  },
  {
    token: "aws:sagemaker/endpoint:Endpoint",
    inputs: async (make) => {
      const productionVariants = [await variant(make)];
      const config = await make("aws:sagemaker/endpointConfiguration:EndpointConfiguration", {
        productionVariants,
      });
      return { endpointConfigName: config.id, tags };
    },
    update: {
      tags: otherTags,
      deploymentConfig: {
        autoRollbackConfiguration: { alarms: [{ alarmName: "errors" }] },
        blueGreenUpdatePolicy: {
          trafficRoutingConfiguration: { type: "ALL_AT_ONCE", waitIntervalInSeconds: 0 },
          terminationWaitInSeconds: 0,
        },
      },
    },
    replace: { name: "another" },
  },
  {
    token:
      "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
    inputs: () => Promise.resolve({ onStart: inBase64("true"), tags }),
    update: { onStart: inBase64("false"), onCreate: inBase64("true"), tags: otherTags },
    replace: { name: "another" },
  },
  {
    token: "aws:sagemaker/notebookInstance:NotebookInstance",
    inputs: async (make) => ({
      name: "notebook-one",
      instanceType: "ml.t3.medium",
      roleArn: (await role(make, "sagemaker.amazonaws.com")).outputs["arn"],
      platformIdentifier: "notebook-al2023-v1",
      volumeSize: 10,
      rootAccess: "Disabled",
      instanceMetadataServiceConfiguration: { minimumInstanceMetadataServiceVersion: "2" },
      tags,
    }),
    update: { instanceType: "ml.t3.large", volumeSize: 20, tags: otherTags },
    replace: { directInternetAccess: "Disabled" },
  },
  {
    token: "aws:appautoscaling/target:Target",
    inputs: async (make) => ({ ...(await scalable(make)), minCapacity: 0, maxCapacity: 2 }),
    update: { maxCapacity: 3 },
    replace: { resourceId: "endpoint/other/variant/AllTraffic" },
    importId: ({ id }) => `sagemaker/${id}/sagemaker:variant:DesiredInstanceCount`,
  },
  {
    token: "aws:appautoscaling/policy:Policy",
    inputs: async (make) => {
      const target = await scalable(make);
      await make("aws:appautoscaling/target:Target", { ...target, minCapacity: 0, maxCapacity: 2 });
      return {
        ...target,
        policyType: "StepScaling",
        stepScalingPolicyConfiguration: {
          adjustmentType: "ChangeInCapacity",
          cooldown: 300,
          stepAdjustments: [{ metricIntervalLowerBound: "0", scalingAdjustment: 1 }],
        },
      };
    },
    update: {
      stepScalingPolicyConfiguration: {
        adjustmentType: "ChangeInCapacity",
        cooldown: 60,
        stepAdjustments: [{ metricIntervalLowerBound: "0", scalingAdjustment: 2 }],
      },
    },
    replace: { name: "another" },
    importId: ({ id, inputs }) =>
      `sagemaker/${String(inputs["resourceId"])}/sagemaker:variant:DesiredInstanceCount/${id}`,
  },
  {
    token: "aws:cloudwatch/metricAlarm:MetricAlarm",
    inputs: () =>
      Promise.resolve({
        namespace: "AWS/SageMaker",
        metricName: "HasBacklogWithoutCapacity",
        dimensions: { EndpointName: "some" },
        statistic: "Average",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        alarmActions: ["arn:aws:sns:us-east-1:123456789012:some"],
        tags,
      }),
    update: { threshold: 2, tags: otherTags },
    replace: { name: "another" },
  },
];
