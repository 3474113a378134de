import { z } from "zod";
import { runTag } from "../../components/identity.ts";
import { openWindow, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { UserError } from "../../components/user-error.ts";
import { EndpointControl, type EndpointView } from "../adapters/endpoint-control.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const inputs = z.object({
  endpointName: z.string().min(1),
  configName: z.string().min(1),
  region: z.string().min(1),
  tags: z.record(z.string(), z.string()),
  deploymentConfig: z.record(z.string(), z.unknown()).optional(),
  hours: z.string().optional(),
});
type Inputs = z.infer<typeof inputs>;

/** What is told of an endpoint that is deleted, and meant to be. */
const stopped = { state: "stopped", runningConfig: "", instanceType: "" };

function withControl<T>(
  { endpointName, region }: Inputs,
  operation: Operation,
  work: (control: EndpointControl) => Promise<T>,
): Promise<T> {
  const { signal } = operation;
  const log = (message: string) => {
    operation.log(message);
  };
  const control = new EndpointControl({ endpointName, region, signal, log });
  return work(control).finally(() => {
    control.close();
  });
}

function outputsOf(values: Properties, found: EndpointView): Properties {
  const { arn, state, configName: runningConfig, instanceType } = found;
  return { ...values, arn, state, runningConfig, instanceType };
}

/** Whether its weekly hours, where it keeps any, have it there now. */
function isDue({ hours }: Inputs): boolean {
  return hours === undefined || openWindow(parseOfficeHours(hours), new Date()) !== undefined;
}

/** Nothing is done to an endpoint of the same name that this deployment has not made. */
function checkOwn({ endpointName, tags }: Inputs, found: EndpointView | undefined): void {
  if (found === undefined || found.tags[runTag] === tags[runTag]) return;
  throw new UserError(`There is an endpoint "${endpointName}" already, of another deployment.`, {
    hint: "Delete it, or give this stack another name.",
  });
}

/** Brings the endpoint to what is asked, from wherever it is: missing, half made, failed, or on another configuration. */
async function ensure(
  values: Properties,
  operation: Operation,
  olds?: Properties,
): Promise<Properties> {
  const asked = inputs.parse(values);
  const { configName, tags, deploymentConfig, endpointName } = asked;
  return withControl(asked, operation, async (control) => {
    let found = await control.settled();
    checkOwn(asked, found);
    if (found?.state === "Failed") {
      operation.log("the endpoint has failed before; it is made anew");
      await control.remove();
      found = undefined;
    }
    // What was stopped is started by its hours or by hand, not by the way.
    if (found === undefined && (olds?.["state"] === "stopped" || !isDue(asked))) {
      operation.log("the endpoint is stopped, and stays so until it is started", "warning");
      return { ...values, ...stopped, arn: await control.arnBeside(configName) };
    }
    if (found === undefined) await control.create(configName, tags);
    else {
      await control.retag(found, tags);
      if (found.configName !== configName) await control.update(configName, deploymentConfig);
    }
    const made = await control.settled();
    if (made === undefined)
      throw new UserError(`The endpoint ${endpointName} was deleted meanwhile.`);
    checkOwn(asked, made);
    return outputsOf(values, made);
  });
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const asked = inputs.parse(state);
  return withControl(asked, operation, async (control) => {
    const found = await control.find();
    if (found !== undefined) return outputsOf(state, found);
    const mayBeStopped = asked.hours !== undefined || state["state"] === "stopped";
    return mayBeStopped ? { ...state, ...stopped } : undefined;
  });
}

/** `berth:index:HostedEndpoint`: an endpoint that may be stopped and started again. */
export const hostedEndpoint: ResourceType = {
  inputs,
  replaceOn: ["endpointName", "region"],
  computed: ["arn", "state", "runningConfig", "instanceType"],
  needsRepair: ({ state, runningConfig, configName }) =>
    state !== "stopped" && (state === "Failed" || runningConfig !== configName),
  create: async (values, operation) => ({
    id: String(values["endpointName"]),
    outputs: await ensure(values, operation),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, olds, news, operation) => ensure(news, operation, olds),
  delete: (_id, state, operation) =>
    withControl(inputs.parse(state), operation, async (control) => {
      await control.remove();
    }),
};
