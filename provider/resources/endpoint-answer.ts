import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { findEndpoint, invoke, lastLogLines } from "../adapters/sagemaker.ts";
import type { Operation, ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const inputs = z.object({
  endpointName: z.string().min(1),
  configName: z.string().min(1),
  region: z.string().min(1),
  realtime: z.boolean(),
  requestForm: z.enum(["completion", "chat"]),
  state: z.string().default(""),
});

/** Lines of the containers' log that a failure carries. */
const linesShown = 12;

function given(values: Properties) {
  return inputs.parse(
    Object.fromEntries(Object.keys(inputs.shape).map((key) => [key, values[key]])),
  );
}

async function failure(
  endpointName: string,
  region: string,
  what: string,
  cause?: unknown,
): Promise<UserError> {
  const lines = await lastLogLines(endpointName, { region }, linesShown);
  return new UserError(`The endpoint ${endpointName} ${what}`, {
    problems: lines.map((line) => `log: ${line}`),
    hint: "Correct what it says and run up again, or take it down.",
    cause,
  });
}

/** What stands for the time of an answer when nothing was asked. */
const notAsked = "not asked: the endpoint is stopped";

/** Waits for nothing: whoever made the endpoint has waited until SageMaker was done with it. */
async function prove(values: Properties): Promise<Properties> {
  const { endpointName, configName, region, realtime, requestForm, state } = given(values);
  if (state === "stopped") return { ...values, answeredAt: notAsked };
  const found = await findEndpoint(endpointName, region);
  if (found === undefined) throw await failure(endpointName, region, "is gone.");
  const { EndpointStatus = "", EndpointConfigName = "", FailureReason = "" } = found;
  if (EndpointStatus !== "InService") {
    throw await failure(endpointName, region, `is ${EndpointStatus}: ${FailureReason}`);
  }
  if (EndpointConfigName !== configName) {
    const what = `went back to ${EndpointConfigName}, since ${configName} failed: ${FailureReason}`;
    throw await failure(endpointName, region, what);
  }
  if (realtime) {
    const form =
      requestForm === "chat"
        ? { messages: [{ role: "user", content: "Hello" }] }
        : { prompt: "Hello" };
    await invoke(endpointName, region, { ...form, max_tokens: 1 }).catch(async (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw await failure(endpointName, region, `is in service and does not answer: ${why}`, error);
    });
  }
  return { ...values, answeredAt: new Date().toISOString() };
}

async function look(state: Properties, operation: Operation): Promise<Properties | undefined> {
  const { endpointName, configName, region } = given(state);
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
    id: `answer-${String(values["endpointName"])}`,
    outputs: await prove(values),
  }),
  read: (_id, state, operation) => look(state, operation),
  update: (_id, _olds, news) => prove(news),
  // It is nothing but what was seen.
  delete: () => Promise.resolve(),
};
