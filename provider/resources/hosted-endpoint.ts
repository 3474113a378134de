import { z } from "zod";
import { runTag } from "../../components/identity.ts";
import { openWindow, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { UserError } from "../../components/user-error.ts";
import { EndpointControl, type EndpointView } from "../adapters/endpoint-control.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";
import { whileOpen, withinOperation } from "./while-open.ts";

const inputs = z.object({
  endpointName: z.string().min(1),
  configName: z.string().min(1),
  region: z.string().min(1),
  tags: z.record(z.string(), z.string()),
  deploymentConfig: z.record(z.string(), z.unknown()).optional(),
  hours: z.string().optional(),
  weights: z.record(z.string(), z.number().min(0)).optional(),
});
type Inputs = z.infer<typeof inputs>;

/** What is told of an endpoint that is deleted, and meant to be. */
const stopped = { state: "stopped", runningConfig: "", instanceType: "", runningWeights: {} };

function controlOf({ endpointName, region }: Inputs, operation: Operation): EndpointControl {
  return new EndpointControl({ endpointName, region, ...withinOperation(operation) });
}

function outputsOf(values: Properties, found: EndpointView): Properties {
  const { arn, state, configName: runningConfig, instanceType } = found;
  const runningWeights = values["weights"] === undefined ? {} : found.weights;
  return { ...values, arn, state, runningConfig, instanceType, runningWeights };
}

/** Whether the variants have other weights than those that are asked for; variants that are not there have none. */
function isOtherwiseWeighed(asked: Properties[string], running: Properties[string]): boolean {
  const has = (running ?? {}) as Readonly<Record<string, number>>;
  return Object.entries((asked ?? {}) as Readonly<Record<string, number>>).some(
    ([name, weight]) => has[name] !== undefined && has[name] !== weight,
  );
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
  const { configName, tags, deploymentConfig, endpointName, weights } = asked;
  return whileOpen(controlOf(asked, operation), async (control) => {
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
    let made = await control.settled();
    if (made?.state === "InService" && isOtherwiseWeighed(weights, made.weights)) {
      await control.weigh(weights ?? {});
      made = await control.settled();
    }
    if (made === undefined)
      throw new UserError(`The endpoint ${endpointName} was deleted meanwhile.`);
    checkOwn(asked, made);
    return outputsOf(values, made);
  });
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const asked = inputs.parse(state);
  return whileOpen(controlOf(asked, operation), async (control) => {
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
  computed: ["arn", "state", "runningConfig", "instanceType", "runningWeights"],
  needsRepair: ({ state, runningConfig, configName, weights, runningWeights }) =>
    state !== "stopped" &&
    (state === "Failed" ||
      runningConfig !== configName ||
      isOtherwiseWeighed(weights, runningWeights)),
  create: async (values, operation) => ({
    id: String(values["endpointName"]),
    outputs: await ensure(values, operation),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, olds, news, operation) => ensure(news, operation, olds),
  delete: (_id, state, operation) =>
    whileOpen(controlOf(inputs.parse(state), operation), async (control) => {
      await control.remove();
    }),
};
