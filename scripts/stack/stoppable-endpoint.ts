import { protectTag } from "../../components/identity.ts";
import { counted } from "../../components/counted.ts";
import { roundUsd } from "../../components/pricing/hourly-cost.ts";
import { UserError } from "../../components/user-error.ts";
import { EndpointControl } from "../../provider/adapters/endpoint-control.ts";
import type { RecordedEndpoint } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { openLease, type LeasedStack } from "../commands/extend.ts";
import type { StackOptions } from "./deployment.ts";
import { readOutputs, type BerthOutputs } from "./stack-outputs.ts";

/** An endpoint of a stack that can be stopped and started. */
export interface StoppableEndpoint {
  readonly leased: LeasedStack;
  readonly recorded: RecordedEndpoint;
  readonly outputs: BerthOutputs;
  readonly control: EndpointControl;
}

/**
 * Opens a stack's endpoint, to stop or start it, for the time of the work.
 *
 * @throws UserError when the stack has none, or one that scales: SageMaker deletes the scaling with the endpoint
 */
export async function withEndpoint<T>(
  options: StackOptions,
  terminal: Terminal,
  work: (endpoint: StoppableEndpoint) => Promise<T>,
): Promise<T> {
  const leased = await openLease(options);
  const { opened, state, scope, env } = leased;
  const recorded = state.endpoint;
  if (recorded === undefined) {
    throw new UserError(`"${env}" has no endpoint that could be stopped or started.`, {
      hint: `A host ends with: npm run berth -- down --env ${env}`,
    });
  }
  const outputs = readOutputs(await opened.stack.outputs());
  if (outputs.inferenceComponent !== undefined) {
    throw new UserError(`The endpoint of "${env}" has its model from an inference component.`, {
      hint: `With minInstances 0 nothing runs while nobody asks. To end it: npm run berth -- down --env ${env}`,
    });
  }
  const { endpoint } = outputs.plan ?? {};
  if (endpoint?.mode === "serverless") {
    const { provisionedConcurrency: warm = 0 } = endpoint.serverless ?? {};
    const costs =
      warm === 0
        ? "It costs nothing while nobody asks."
        : `To pay for ${counted(warm, "warm container")} no more, take berth:provisionedConcurrency away and run up.`;
    throw new UserError(`The endpoint of "${env}" is serverless, and has no instance to stop.`, {
      hint: `${costs} To end it: npm run berth -- down --env ${env}`,
    });
  }
  const variants = endpoint === undefined ? [] : [endpoint, ...(endpoint.further ?? [])];
  if (variants.some(({ minInstances, maxInstances }) => minInstances !== maxInstances)) {
    throw new UserError(
      `The endpoint of "${env}" scales, and would come back without its scaling.`,
      {
        hint: `With minInstances 0 it costs nothing while nothing waits. To end it: npm run berth -- down --env ${env}`,
      },
    );
  }
  const control = new EndpointControl({
    endpointName: recorded.endpointName,
    region: scope.region,
    client: scope.client,
    signal: new AbortController().signal,
    log: (message) => {
      terminal.complain(`  ${message}`);
    },
  });
  try {
    return await work({ leased, recorded, outputs, control });
  } finally {
    control.close();
  }
}

/** What an hour of the endpoint costs without the notebook beside it, which rests and starts by itself, USD. */
export function endpointHourlyUsd({ hourlyUsd, plan }: BerthOutputs): number | undefined {
  if (hourlyUsd === undefined) return undefined;
  return roundUsd(hourlyUsd - (plan?.endpoint?.notebook?.hourlyUsd ?? 0));
}

/**
 * Holds what would end a protected endpoint.
 *
 * @throws UserError saying how the protection goes
 */
export function checkUnprotected(env: string, tags: Readonly<Record<string, string>>): void {
  if (tags[protectTag] !== "true") return;
  throw new UserError(`The endpoint of "${env}" is protected.`, {
    hint: `Take that off first: npm run berth -- protect --off --env ${env}`,
  });
}
