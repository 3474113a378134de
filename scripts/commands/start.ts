import { timestamp } from "../../components/lease/lease.ts";
import { nextClosing, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { usd } from "../../components/plan-text.ts";
import { UserError } from "../../components/user-error.ts";
import { lastLogLines } from "../../provider/adapters/sagemaker.ts";
import { protectTag } from "../../components/identity.ts";
import { scheduledProtection } from "../adapters/read-protection.ts";
import { readEndpointState } from "../adapters/endpoint/endpoint-state.ts";
import { writeEndpointState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import type { StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import type { LeasedStack } from "./extend.ts";
import {
  endpointHourlyUsd,
  withEndpoint,
  type StoppableEndpoint,
} from "../stack/stoppable-endpoint.ts";

/** Lines of the containers' log that a failure carries. */
const linesShown = 12;

/** What ends the endpoint next: its hours, its deadline, or nobody. */
function nextEnd({ lease, now }: LeasedStack, hours: string | undefined): string {
  const closes = hours === undefined ? undefined : nextClosing(parseOfficeHours(hours), now);
  const ends = [...(closes === undefined ? [] : [timestamp(closes)]), lease.expiresAt];
  return ends.filter((end) => end !== "").toSorted()[0] ?? "";
}

/**
 * Nothing is started that nothing would end.
 *
 * @throws UserError once the lease is over
 */
function checkLease({ env, lease, now }: LeasedStack): void {
  if (lease.expiresAt === "" || Date.parse(lease.expiresAt) > now.getTime()) return;
  throw new UserError(`The lease of "${env}" ended at ${lease.expiresAt}.`, {
    hint: `Give it more time first: npm run berth -- extend 4h --env ${env}`,
  });
}

async function bringUp({ leased, recorded, control }: StoppableEndpoint): Promise<string> {
  const { configName } = recorded;
  const protect = await scheduledProtection(leased.scope, leased.state);
  // What the state knows is from before it was protected.
  const tags = { ...recorded.tags, ...(protect === undefined ? {} : { [protectTag]: protect }) };
  const found = await control.settled();
  if (found?.state === "Failed") await control.remove();
  if (found === undefined || found.state === "Failed") await control.create(configName, tags);
  const made = await control.settled();
  // Its configuration has the shares that it was made with, which may have moved since.
  if (made?.state !== "InService" || recorded.weights === undefined) return made?.state ?? "gone";
  await control.weigh(recorded.weights);
  return (await control.settled())?.state ?? "gone";
}

async function failure({ leased, recorded }: StoppableEndpoint, state: string): Promise<UserError> {
  const { scope, env } = leased;
  const { why } = await readEndpointState(scope, recorded.endpointName);
  const log = await lastLogLines(`Endpoints/${recorded.endpointName}`, scope.client, linesShown);
  return new UserError(
    `The endpoint ${recorded.endpointName} is ${state}${why === undefined ? "" : `: ${why}`}`,
    {
      problems: log.map((line) => `log: ${line}`),
      hint: `Correct what it says, then: npm run berth -- start --env ${env}`,
    },
  );
}

/** `berth start`: makes a stopped endpoint again, with the name, configuration and tags that it had. */
export function runStart(options: StackOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  return withEndpoint(options, terminal, async (endpoint) => {
    const { leased, recorded, outputs } = endpoint;
    checkLease(leased);
    const state = await bringUp(endpoint);
    if (state !== "InService") throw await failure(endpoint, state);
    const told = { state, runningConfig: recorded.configName };
    await writeEndpointState(leased.opened.stack, told);
    const hourlyUsd = endpointHourlyUsd(outputs);
    const rate = hourlyUsd === undefined ? "" : ` It costs ${usd(hourlyUsd)} an hour.`;
    const end = nextEnd(leased, recorded.hours);
    terminal.say(
      `started    ${recorded.endpointName} is in service.${rate}`,
      end === ""
        ? `ends       never by itself; stop it with: npm run berth -- stop --env ${env}`
        : `ends       ${end}`,
      ...(outputs.notebookName === undefined
        ? []
        : [`notebook   rests until: npm run berth -- notebook --env ${env}`]),
    );
    terminal.result({ env, endpoint: recorded.endpointName, state, ends: end });
    return exitCode.ok;
  });
}
