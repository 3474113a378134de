import type { InferenceComponentSpecification } from "@aws-sdk/client-sagemaker";
import { z } from "zod";
import { runTag } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";
import { ComponentControl, type ComponentView } from "../adapters/component-control.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { whileOpen, withinOperation } from "./while-open.ts";

const inputs = z.object({
  componentName: z.string().min(1).max(63),
  endpointName: z.string().min(1),
  variantName: z.string().min(1),
  modelName: z.string().min(1),
  configName: z.string().min(1),
  region: z.string().min(1),
  copies: z.int().min(1),
  accelerators: z.int().min(1),
  memoryMiB: z.int().min(128),
  downloadTimeoutSeconds: z.int().min(60).max(3600),
  startupTimeoutSeconds: z.int().min(60).max(3600),
  tags: z.record(z.string(), z.string()),
});
type Inputs = z.infer<typeof inputs>;

/** What a change of makes the copies start anew. */
const specified = [
  "modelName",
  "accelerators",
  "memoryMiB",
  "downloadTimeoutSeconds",
  "startupTimeoutSeconds",
] as const;

function controlOf({ componentName, region }: Inputs, operation: Operation): ComponentControl {
  return new ComponentControl({ componentName, region, ...withinOperation(operation) });
}

function specificationOf(asked: Inputs): InferenceComponentSpecification {
  return {
    ModelName: asked.modelName,
    StartupParameters: {
      ModelDataDownloadTimeoutInSeconds: asked.downloadTimeoutSeconds,
      ContainerStartupHealthCheckTimeoutInSeconds: asked.startupTimeoutSeconds,
    },
    ComputeResourceRequirements: {
      NumberOfAcceleratorDevicesRequired: asked.accelerators,
      MinMemoryRequiredInMb: asked.memoryMiB,
    },
  };
}

function outputsOf(values: Properties, found: ComponentView): Properties {
  const { arn, state, modelName: runningModel } = found;
  return { ...values, arn, state, runningModel };
}

/** Nothing is done to a component of the same name that this deployment has not made. */
async function checkOwn(
  control: ComponentControl,
  { componentName, tags }: Inputs,
  found: ComponentView | undefined,
): Promise<void> {
  if (found === undefined) return;
  const has = await control.tagsOf(found);
  if (has[runTag] === tags[runTag]) return;
  throw new UserError(
    `There is an inference component "${componentName}" already, of another deployment.`,
    { hint: "Delete it, or give this stack another name." },
  );
}

/** Brings the component to what is asked, from wherever it is: missing, half made, failed, or with another model. */
async function ensure(
  values: Properties,
  operation: Operation,
  olds?: Properties,
): Promise<Properties> {
  const asked = inputs.parse(values);
  return whileOpen(controlOf(asked, operation), async (control) => {
    let found = await control.settled();
    await checkOwn(control, asked, found);
    if (found?.state === "Failed") {
      operation.log("the inference component has failed before; it is made anew");
      await control.remove();
      found = undefined;
    }
    if (found === undefined) await control.create(specificationOf(asked), asked);
    else {
      await control.retag(found, asked.tags);
      const isOther = specified.some((key) => olds !== undefined && olds[key] !== asked[key]);
      if (isOther || found.modelName !== asked.modelName) {
        await control.update(specificationOf(asked));
        await control.settled();
      }
      if (olds !== undefined && olds["copies"] !== asked.copies) {
        await control.setCopies(asked.copies);
      }
    }
    const made = await control.settled();
    await checkOwn(control, asked, made);
    if (made === undefined) {
      throw new UserError(`The inference component ${asked.componentName} was deleted meanwhile.`);
    }
    return outputsOf(values, made);
  });
}

/** `berth:index:InferenceComponent`: a model on an endpoint, whose copies can come down to none. */
export const inferenceComponent: ResourceType = {
  inputs,
  replaceOn: ["componentName", "endpointName", "variantName", "region"],
  computed: ["arn", "state", "runningModel"],
  needsRepair: ({ state, runningModel, modelName }) =>
    state === "Failed" || runningModel !== modelName,
  create: async (values, operation) => ({
    id: String(values["componentName"]),
    outputs: await ensure(values, operation),
  }),
  read: (_id, state, operation) =>
    whileOpen(controlOf(inputs.parse(state), operation), async (control) => {
      const found = await control.find();
      return found === undefined ? undefined : outputsOf(state, found);
    }),
  update: (_id, olds, news, operation) => ensure(news, operation, olds),
  delete: (_id, state, operation) =>
    whileOpen(controlOf(inputs.parse(state), operation), async (control) => {
      await control.remove();
    }),
};
