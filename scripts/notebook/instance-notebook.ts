import { usd } from "../../components/plan-text.ts";
import { UserError } from "../../components/user-error.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import {
  NotebookControl,
  notebookEndLines,
  sessionSeconds,
} from "../adapters/notebook-instance.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";

/** A notebook instance of a stack, and what is asked of it. */
export interface InstanceNotebook {
  readonly outputs: BerthOutputs;
  readonly notebookName: string;
  readonly client: ClientSettings;
  readonly now: Date;
  readonly stop: boolean;
}

/**
 * Seconds that a session may last: until the lease ends, within what SageMaker takes.
 *
 * @throws UserError once the lease is over, when nothing would end what is started
 */
export function sessionUntil(expiresAt: string | undefined, now: Date): number {
  if (expiresAt === undefined || expiresAt === "") return sessionSeconds.most;
  const left = Math.floor((Date.parse(expiresAt) - now.getTime()) / 1000);
  if (left <= 0) {
    throw new UserError(`The lease ended at ${expiresAt}; the notebook is not started.`, {
      hint: "Give it more time first: npm run berth -- extend 4h",
    });
  }
  return Math.min(sessionSeconds.most, Math.max(sessionSeconds.least, left));
}

/**
 * Starts a stack's notebook instance where it is stopped, and prints an address that opens it, once; or stops it. The address
 * is a secret of some minutes: it is kept nowhere.
 */
export async function openInstanceNotebook(
  { outputs, notebookName, client, now, stop }: InstanceNotebook,
  terminal: Terminal,
): Promise<number> {
  const tell = (line: string): void => {
    terminal.complain(line);
  };
  const control = new NotebookControl({ notebookName, client, tell });
  try {
    if (stop) {
      const end = await control.stop();
      terminal.say(notebookEndLines[end]);
      terminal.result({ notebookName, stopped: end === "stopped", was: end });
      return exitCode.ok;
    }
    const seconds = sessionUntil(outputs.expiresAt, now);
    await control.start();
    const address = await control.address(seconds);
    const { instanceType = "?", hourlyUsd, idleMinutes } = outputs.plan?.endpoint?.notebook ?? {};
    const price = hourlyUsd === undefined ? "" : ` at ${usd(hourlyUsd)} an hour`;
    terminal.say(
      `notebook   JupyterLab on ${instanceType}${price}; it stops after ${idleMinutes ?? "?"} minutes without use`,
      `address    ${address}`,
      `           opens within 5 minutes, for a session of ${Math.floor(seconds / 60)} minutes, without any further permission: show it to nobody.`,
      "           ask-the-model.ipynb asks the endpoint. End it with --stop; the files stay until the lease ends.",
    );
    terminal.result({ address, notebookName, sessionSeconds: seconds });
    return exitCode.ok;
  } finally {
    control.close();
  }
}
