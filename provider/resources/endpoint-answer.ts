import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { findEndpoint, invoke, lastLogLines, lookAtComponent } from "../adapters/sagemaker.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const inputs = z.object({
  endpointName: z.string().min(1),
  configName: z.string().min(1),
  region: z.string().min(1),
  realtime: z.boolean(),
  requestForm: z.enum(["completion", "chat"]),
  state: z.string().default(""),
  variantName: z.string().optional(),
  component: z
    .object({ name: z.string().min(1), modelName: z.string(), state: z.string().default("") })
    .optional(),
});
type Inputs = z.infer<typeof inputs>;

/** Lines of the containers' log that a failure carries. */
const linesShown = 12;

async function failure(
  { endpointName, region, component }: Inputs,
  what: string,
  cause?: unknown,
): Promise<UserError> {
  const owner =
    component === undefined ? `Endpoints/${endpointName}` : `InferenceComponents/${component.name}`;
  const lines = await lastLogLines(owner, { region }, linesShown);
  return new UserError(`The endpoint ${endpointName} ${what}`, {
    problems: lines.map((line) => `log: ${line}`),
    hint: "Correct what it says and run up again, or take it down.",
    cause,
  });
}

/** What stands for the time of an answer when nothing was asked. */
const notAsked = "not asked: the endpoint is stopped";
const noCopy = "not asked: the inference component has no copy now";

/**
 * Whether the component that brings the model has a copy to ask.
 *
 * @throws UserError when it failed, or went back to the model before
 */
async function hasCopy(asked: Inputs): Promise<boolean> {
  const { component, region } = asked;
  if (component === undefined) return true;
  const found = await lookAtComponent(component.name, region);
  if (found === undefined) throw await failure(asked, "has lost its inference component.");
  if (found.state === "Failed") {
    throw await failure(asked, `has no model, since its component failed: ${found.failure}`);
  }
  if (found.modelName !== component.modelName || found.failure !== "") {
    const what = `serves ${found.modelName}, since ${component.modelName} failed: ${found.failure}`;
    throw await failure(asked, what);
  }
  return found.copies > 0;
}

/** Waits for nothing: whoever made the endpoint has waited until SageMaker was done with it. */
async function prove(values: Properties): Promise<Properties> {
  const asked = inputs.parse(values);
  const { endpointName, configName, region, realtime, requestForm, state } = asked;
  const { component, variantName } = asked;
  if (state === "stopped") return { ...values, answeredAt: notAsked };
  const found = await findEndpoint(endpointName, region);
  if (found === undefined) throw await failure(asked, "is gone.");
  const { EndpointStatus = "", EndpointConfigName = "", FailureReason = "" } = found;
  if (EndpointStatus !== "InService") {
    throw await failure(asked, `is ${EndpointStatus}: ${FailureReason}`);
  }
  if (EndpointConfigName !== configName) {
    const what = `went back to ${EndpointConfigName}, since ${configName} failed: ${FailureReason}`;
    throw await failure(asked, what);
  }
  if (!(await hasCopy(asked))) return { ...values, answeredAt: noCopy };
  if (realtime) {
    const form =
      requestForm === "chat"
        ? { messages: [{ role: "user", content: "Hello" }] }
        : { prompt: "Hello" };
    const invoked = { endpointName, componentName: component?.name, variantName, region };
    await invoke(invoked, { ...form, max_tokens: 1 }).catch(async (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw await failure(
        asked,
        `is in service and ${variantName === undefined ? "" : `its variant ${variantName} `}does not answer: ${why}`,
        error,
      );
    });
  }
  return { ...values, answeredAt: new Date().toISOString() };
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const { endpointName, configName, region } = inputs.parse(state);
  const found = await findEndpoint(endpointName, region);
  if (found === undefined) return state["state"] === "stopped" ? state : undefined;
  if (found.EndpointStatus === "InService" && found.EndpointConfigName === configName) return state;
  operation.log(`the endpoint is ${found.EndpointStatus ?? "unknown"}`, "warning");
  return { ...state, answeredAt: "" };
}

/** `berth:index:EndpointAnswer`: an endpoint that runs what it was given, and has answered. */
export const endpointAnswer: ResourceType = {
  inputs,
  replaceOn: ["endpointName"],
  computed: ["answeredAt"],
  // A Read that found it otherwise leaves no time of an answer.
  needsRepair: (state) => state["answeredAt"] === "",
  create: async (values) => ({
    id: ["answer", values["endpointName"], values["variantName"]].filter(Boolean).join("-"),
    outputs: await prove(values),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, _olds, news) => prove(news),
  // It is nothing but what was seen.
  delete: () => Promise.resolve(),
};
