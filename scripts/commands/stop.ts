import { nextOpening, parseOfficeHours } from "../../components/lease/office-hours.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { usd } from "../../components/plan-text.ts";
import {
  NotebookControl,
  notebookEndLines,
  type NotebookEnd,
} from "../adapters/notebook-instance.ts";
import { writeEndpointState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import type { StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import {
  checkUnprotected,
  endpointHourlyUsd,
  withEndpoint,
  type StoppableEndpoint,
} from "../stack/stoppable-endpoint.ts";

/** Stops the notebook instance beside an endpoint, which nobody could ask the model from; undefined where there is none. */
async function stopNotebook(
  { outputs, leased }: StoppableEndpoint,
  terminal: Terminal,
): Promise<NotebookEnd | undefined> {
  const { notebookName } = outputs;
  if (notebookName === undefined) return undefined;
  const { client } = leased.scope;
  const tell = (line: string) => {
    terminal.complain(`  ${line}`);
  };
  const control = new NotebookControl({ notebookName, client, tell });
  try {
    const end = await control.stop();
    terminal.say(notebookEndLines[end]);
    return end;
  } finally {
    control.close();
  }
}

/**
 * `berth stop`: deletes the endpoint and keeps its model and configuration, so that `berth start` makes it again. The notebook
 * beside it rests meanwhile.
 */
export function runStop(options: StackOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  return withEndpoint(options, terminal, async (endpoint) => {
    const { leased, recorded, outputs, control } = endpoint;
    const found = await control.find();
    if (found !== undefined) {
      checkUnprotected(env, found.tags);
      await control.remove();
    }
    await writeEndpointState(leased.opened.stack, { state: "stopped", runningConfig: "" });
    const notebook = await stopNotebook(endpoint, terminal);
    const { hours } = recorded;
    const opens =
      hours === undefined ? undefined : nextOpening(parseOfficeHours(hours), leased.now);
    const savedUsd = notebook === "stopped" ? outputs.hourlyUsd : endpointHourlyUsd(outputs);
    const saved =
      savedUsd === undefined || found === undefined
        ? ""
        : `, and ${usd(savedUsd)} an hour are not paid`;
    terminal.say(
      `stopped    ${recorded.endpointName}${found === undefined ? " was not there" : ""}${saved}; its model and configuration stay`,
      `next       npm run berth -- start --env ${env}${opens === undefined ? "" : `; by itself at ${timestamp(opens)}`}`,
    );
    terminal.result({
      env,
      endpoint: recorded.endpointName,
      wasThere: found !== undefined,
      ...(notebook === undefined ? {} : { notebook }),
    });
    return exitCode.ok;
  });
}
