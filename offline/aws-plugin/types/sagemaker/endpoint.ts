import type { DeploymentConfig, DescribeEndpointOutput } from "@aws-sdk/client-sagemaker";
import { OfflineError } from "../../../offline-error.ts";
import { fromAws, toAws } from "../../engine/casing.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { list, number, object, string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { waitUntil } from "../../engine/waiting.ts";
import { tagsOfArn, tagSageMaker, unlessMissing } from "./sagemaker-calls.ts";

const size = (required?: true) =>
  object(
    { type: string({ required: true }), value: number({ required: true }) },
    required === undefined ? {} : { required },
  );

const inputs = {
  name: string({ computed: true, replace: true }),
  endpointConfigName: string({ required: true }),
  deploymentConfig: object({
    autoRollbackConfiguration: object({
      alarms: list(object({ alarmName: string({ required: true }) })),
    }),
    blueGreenUpdatePolicy: object({
      maximumExecutionTimeoutInSeconds: number(),
      terminationWaitInSeconds: number({ default: 0 }),
      trafficRoutingConfiguration: object(
        {
          type: string({ required: true, oneOf: ["ALL_AT_ONCE", "CANARY", "LINEAR"] }),
          waitIntervalInSeconds: number({ required: true }),
          canarySize: size(),
          linearStepSize: size(),
        },
        { required: true },
      ),
    }),
    rollingUpdatePolicy: object({
      maximumBatchSize: size(true),
      maximumExecutionTimeoutInSeconds: number(),
      rollbackMaximumBatchSize: size(),
      waitIntervalInSeconds: number({ required: true }),
    }),
  }),
};

/** The real provider waits this long, whatever `customTimeouts` says. */
const longestWaitSeconds = 3600;

async function find(context: Context, id: string): Promise<DescribeEndpointOutput | undefined> {
  const sagemaker = await context.clients.sagemaker();
  return unlessMissing(sagemaker.describeEndpoint({ EndpointName: id }));
}

async function waitInService(context: Context, id: string): Promise<void> {
  await waitUntil(context, `the endpoint ${id} is in service`, longestWaitSeconds, async () => {
    const found = await find(context, id);
    const { EndpointStatus = "Failed", FailureReason } = found ?? {};
    if (EndpointStatus === "InService") return true;
    if (EndpointStatus === "Failed" || EndpointStatus === "UpdateRollbackFailed") {
      throw new OfflineError(
        `waiting for SageMaker AI Endpoint (${id}): unexpected state '${EndpointStatus}', wanted target 'InService'. last error: ${FailureReason ?? "it is gone"}`,
        "A failed endpoint can only be deleted; destroy it, correct what it says, and run it again.",
      );
    }
    return undefined;
  });
}

/** Answers requests with what its configuration says. */
export const endpoint = resourceType({
  token: "aws:sagemaker/endpoint:Endpoint",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 63 },
  tag: (context, _id, change, state) => tagSageMaker(context, change, state["arn"]),
  create: async (context, given) => {
    const sagemaker = await context.clients.sagemaker();
    const id = given.name ?? "";
    const { EndpointArn } = await sagemaker.createEndpoint({
      EndpointName: id,
      EndpointConfigName: given.endpointConfigName,
      DeploymentConfig: toAws(given.deploymentConfig) as DeploymentConfig | undefined,
      Tags: awsTags(given.tagsAll),
    });
    return { id, known: { arn: EndpointArn }, finish: () => waitInService(context, id) };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined || found.EndpointStatus === "Deleting") return undefined;
    return {
      arn: found.EndpointArn,
      name: found.EndpointName,
      endpointConfigName: found.EndpointConfigName,
      ...(found.LastDeploymentConfig === undefined
        ? {}
        : { deploymentConfig: fromAws(found.LastDeploymentConfig) }),
      tagsAll: await tagsOfArn(context, found.EndpointArn),
    };
  },
  // As in the real provider, an update that was rolled back is in service again, and so no failure.
  update: async (context, id, { news, changed }) => {
    if (!changed.has("endpointConfigName") && !changed.has("deploymentConfig")) return;
    const sagemaker = await context.clients.sagemaker();
    await sagemaker.updateEndpoint({
      EndpointName: id,
      EndpointConfigName: news.endpointConfigName,
      DeploymentConfig: toAws(news.deploymentConfig) as DeploymentConfig | undefined,
    });
    await waitInService(context, id);
  },
  delete: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    await unlessMissing(sagemaker.deleteEndpoint({ EndpointName: id }));
    await waitUntil(context, `the endpoint ${id} is gone`, longestWaitSeconds, async () =>
      (await find(context, id)) === undefined ? true : undefined,
    );
  },
});
