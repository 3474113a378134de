import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { lastLogLines } from "../../../provider/adapters/sagemaker.ts";
import { ProvisioningError } from "../../cli/command-error.ts";
import { readEndpointState } from "./endpoint-state.ts";
import type { AccountScope } from "../account-scope.ts";

const stateSchema = z.looseObject({
  resources: z.array(z.looseObject({ type: z.string(), id: z.string().optional() })).nullish(),
});

/** Lines of the containers' log that are shown. */
const linesShown = 12;

/** The endpoint in a stack's state, where it is even when it failed; undefined when none was asked for. */
async function endpointOf(stack: Stack): Promise<string | undefined> {
  const deployment: unknown = (await stack.exportStack()).deployment;
  return stateSchema
    .parse(deployment)
    .resources?.find(({ type }) => type === "berth:index:HostedEndpoint")?.id;
}

/** The same failure with what SageMaker says of the endpoint, and what its containers wrote last. */
export async function withEndpointFailure(
  error: unknown,
  stack: Stack,
  scope: AccountScope,
): Promise<unknown> {
  if (!(error instanceof ProvisioningError)) return error;
  const name = await endpointOf(stack).catch(() => undefined);
  if (name === undefined) return error;
  const { state, why } = await readEndpointState(scope, name);
  if (state === "InService") return error;
  const log = await lastLogLines(`Endpoints/${name}`, scope.client, linesShown);
  const lines = [
    `endpoint ${name} is ${state}${why === undefined ? "" : `: ${why}`}`,
    ...log.map((line) => `log: ${line}`),
  ];
  return new ProvisioningError(error.message, [...error.messages, ...lines], error.cause);
}
