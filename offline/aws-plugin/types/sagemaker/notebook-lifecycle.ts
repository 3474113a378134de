import { resourceType } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { awsTags } from "../../engine/tags.ts";
import { tagsOfArn, tagSageMaker, unlessMissing } from "./sagemaker-calls.ts";

const inputs = {
  name: string({ computed: true, replace: true }),
  onCreate: string(),
  onStart: string(),
};

function hook(content: string | undefined) {
  return content === undefined ? [] : [{ Content: content }];
}

/** What a notebook instance runs when it is made, and at each start; its texts are in base64. */
export const notebookLifecycle = resourceType({
  token:
    "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
  inputs,
  outputs: ["arn"],
  name: { property: "name", limit: 63 },
  tag: (context, _id, change, state) => tagSageMaker(context, change, state["arn"]),
  create: async (context, given) => {
    const sagemaker = await context.clients.sagemaker();
    const id = given.name ?? "";
    await sagemaker.createNotebookInstanceLifecycleConfig({
      NotebookInstanceLifecycleConfigName: id,
      OnCreate: hook(given.onCreate),
      OnStart: hook(given.onStart),
      Tags: awsTags(given.tagsAll),
    });
    return { id };
  },
  read: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    const found = await unlessMissing(
      sagemaker.describeNotebookInstanceLifecycleConfig({
        NotebookInstanceLifecycleConfigName: id,
      }),
    );
    if (found === undefined) return undefined;
    return {
      arn: found.NotebookInstanceLifecycleConfigArn,
      name: found.NotebookInstanceLifecycleConfigName,
      onCreate: found.OnCreate?.[0]?.Content,
      onStart: found.OnStart?.[0]?.Content,
      tagsAll: await tagsOfArn(context, found.NotebookInstanceLifecycleConfigArn),
    };
  },
  update: async (context, id, { news, changed }) => {
    if (!changed.has("onCreate") && !changed.has("onStart")) return;
    const sagemaker = await context.clients.sagemaker();
    await sagemaker.updateNotebookInstanceLifecycleConfig({
      NotebookInstanceLifecycleConfigName: id,
      OnCreate: hook(news.onCreate),
      OnStart: hook(news.onStart),
    });
  },
  delete: async (context, id) => {
    const sagemaker = await context.clients.sagemaker();
    await unlessMissing(
      sagemaker.deleteNotebookInstanceLifecycleConfig({
        NotebookInstanceLifecycleConfigName: id,
      }),
    );
  },
});
