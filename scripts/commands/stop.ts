import { nextOpening, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { usd } from "../../components/plan-text.ts";
import { writeEndpointState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import type { StackOptions } from "../deployment.ts";
import { exitCode } from "../exit-code.ts";
import { checkUnprotected, withEndpoint } from "../stoppable-endpoint.ts";

/** `berth stop`: deletes the endpoint and keeps its model and configuration, so that `berth start` makes it again. */
export function runStop(options: StackOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  return withEndpoint(options, terminal, async ({ leased, recorded, outputs, control }) => {
    const found = await control.find();
    if (found !== undefined) {
      checkUnprotected(env, found.tags);
      await control.remove();
    }
    await writeEndpointState(leased.opened.stack, { state: "stopped", runningConfig: "" });
    const { hours } = recorded;
    const opens =
      hours === undefined ? undefined : nextOpening(parseOfficeHours(hours), leased.now);
    const { hourlyUsd } = outputs;
    const saved = hourlyUsd === undefined ? "" : `, and ${usd(hourlyUsd)} an hour are not paid`;
    terminal.say(
      `stopped    ${recorded.endpointName}${found === undefined ? " was not there" : ""}${saved}; its model and configuration stay`,
      `next       npm run berth -- start --env ${env}${opens === undefined ? "" : `; by itself at ${timestamp(opens)}`}`,
    );
    terminal.result({ env, endpoint: recorded.endpointName, wasThere: found !== undefined });
    return exitCode.ok;
  });
}
