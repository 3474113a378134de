import type {
  DescribeNotebookInstanceOutput,
  NotebookInstanceStatus,
} from "@aws-sdk/client-sagemaker";
import { OfflineError } from "../../../offline-error.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { number, object, set, string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { retryWhile, waitUntil } from "../../engine/waiting.ts";
import { isRoleUnknownYet, tagsOfArn, tagSageMaker, unlessMissing } from "./sagemaker-calls.ts";

const inputs = {
  name: string({ required: true, replace: true }),
  instanceType: string({ required: true }),
  roleArn: string({ required: true }),
  lifecycleConfigName: string(),
  platformIdentifier: string({ replace: true }),
  volumeSize: number({ default: 5 }),
  rootAccess: string({ default: "Enabled", oneOf: ["Enabled", "Disabled"] }),
  directInternetAccess: string({
    default: "Enabled",
    replace: true,
    oneOf: ["Enabled", "Disabled"],
  }),
  instanceMetadataServiceConfiguration: object({
    minimumInstanceMetadataServiceVersion: string(),
  }),
  subnetId: string({ replace: true }),
  securityGroups: set(string(), { replace: true }),
  kmsKeyId: string({ replace: true }),
};

/** The real provider waits this long. */
const longestWaitSeconds = 600;

async function find(
  context: Context,
  id: string,
): Promise<DescribeNotebookInstanceOutput | undefined> {
  const sagemaker = await context.clients.sagemaker();
  return unlessMissing(sagemaker.describeNotebookInstance({ NotebookInstanceName: id }));
}

async function waitFor(
  context: Context,
  id: string,
  wanted: NotebookInstanceStatus | undefined,
): Promise<void> {
  const what = `the notebook instance ${id} is ${wanted ?? "gone"}`;
  await waitUntil(context, what, longestWaitSeconds, async () => {
    const found = await find(context, id);
    const { NotebookInstanceStatus: status, FailureReason } = found ?? {};
    if (status === wanted) return true;
    if (wanted === undefined || (status !== undefined && status !== "Failed")) return undefined;
    throw new OfflineError(
      `waiting for SageMaker AI Notebook Instance (${id}): unexpected state '${status ?? "gone"}', wanted target '${wanted}'. last error: ${FailureReason ?? "it is gone"}`,
      "Correct what it says, and run it again.",
    );
  });
}

async function stop(context: Context, id: string): Promise<void> {
  const sagemaker = await context.clients.sagemaker();
  const status = (await find(context, id))?.NotebookInstanceStatus;
  if (status === "InService") await sagemaker.stopNotebookInstance({ NotebookInstanceName: id });
  if (status === "InService" || status === "Stopping") await waitFor(context, id, "Stopped");
}

/** A JupyterLab of SageMaker. Whether it runs is no property of it, as in the real provider. */
export const notebookInstance = resourceType({
  token: "aws:sagemaker/notebookInstance:NotebookInstance",
  inputs,
  outputs: ["arn", "url", "networkInterfaceId"],
  tag: (context, _id, change, state) => tagSageMaker(context, change, state["arn"]),
  create: async (context, given) => {
    const sagemaker = await context.clients.sagemaker();
    const id = given.name ?? "";
    const { minimumInstanceMetadataServiceVersion: version } =
      given.instanceMetadataServiceConfiguration ?? {};
    const { NotebookInstanceArn: arn } = await retryWhile(context, 60, isRoleUnknownYet, () =>
      sagemaker.createNotebookInstance({
        NotebookInstanceName: id,
        InstanceType: given.instanceType as "ml.t3.medium",
        RoleArn: given.roleArn,
        LifecycleConfigName: given.lifecycleConfigName,
        PlatformIdentifier: given.platformIdentifier,
        VolumeSizeInGB: given.volumeSize,
        RootAccess: given.rootAccess as "Enabled",
        DirectInternetAccess: given.directInternetAccess as "Enabled",
        SubnetId: given.subnetId,
        SecurityGroupIds: given.securityGroups,
        KmsKeyId: given.kmsKeyId,
        Tags: awsTags(given.tagsAll),
        ...(version === undefined
          ? {}
          : {
              InstanceMetadataServiceConfiguration: {
                MinimumInstanceMetadataServiceVersion: version,
              },
            }),
      }),
    );
    return { id, known: { arn }, finish: () => waitFor(context, id, "InService") };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined || found.NotebookInstanceStatus === "Deleting") return undefined;
    const version =
      found.InstanceMetadataServiceConfiguration?.MinimumInstanceMetadataServiceVersion;
    return {
      arn: found.NotebookInstanceArn,
      name: found.NotebookInstanceName,
      url: found.Url,
      networkInterfaceId: found.NetworkInterfaceId,
      instanceType: found.InstanceType,
      roleArn: found.RoleArn,
      lifecycleConfigName: found.NotebookInstanceLifecycleConfigName,
      platformIdentifier: found.PlatformIdentifier,
      volumeSize: found.VolumeSizeInGB,
      rootAccess: found.RootAccess,
      directInternetAccess: found.DirectInternetAccess,
      ...(version === undefined
        ? {}
        : {
            instanceMetadataServiceConfiguration: {
              minimumInstanceMetadataServiceVersion: version,
            },
          }),
      subnetId: found.SubnetId,
      securityGroups: found.SecurityGroups,
      kmsKeyId: found.KmsKeyId,
      tagsAll: await tagsOfArn(context, found.NotebookInstanceArn),
    };
  },
  // It is stopped for a change, and started again where it ran.
  update: async (context, id, { news, changed }) => {
    const own = ["instanceType", "roleArn", "lifecycleConfigName", "volumeSize", "rootAccess"];
    if (!own.some((key) => changed.has(key))) return;
    const sagemaker = await context.clients.sagemaker();
    const ran = (await find(context, id))?.NotebookInstanceStatus === "InService";
    await stop(context, id);
    await sagemaker.updateNotebookInstance({
      NotebookInstanceName: id,
      InstanceType: news.instanceType as "ml.t3.medium",
      RoleArn: news.roleArn,
      LifecycleConfigName: news.lifecycleConfigName,
      VolumeSizeInGB: news.volumeSize,
      RootAccess: news.rootAccess as "Enabled",
    });
    await waitFor(context, id, "Stopped");
    if (!ran) return;
    await sagemaker.startNotebookInstance({ NotebookInstanceName: id });
    await waitFor(context, id, "InService");
  },
  delete: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    if ((await find(context, id)) === undefined) return;
    await stop(context, id);
    await unlessMissing(sagemaker.deleteNotebookInstance({ NotebookInstanceName: id }));
    await waitFor(context, id, undefined);
  },
});
