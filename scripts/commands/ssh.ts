import { cloudOf } from "../adapters/local-cloud.ts";
import { runSsh } from "../adapters/ssh.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, type StackOptions } from "../deployment.ts";
import { sshTarget } from "../ssh-target.ts";
import { readOutputs } from "../stack-outputs.ts";

/** `berth ssh [command...]`: a shell on the host, or one command there; only the pinned host key is believed. */
export async function runSshCommand(
  command: readonly string[],
  options: StackOptions,
  terminal: Terminal,
): Promise<number> {
  const opened = await findDeployment(options, cloudOf(options.env));
  const target = sshTarget(opened === undefined ? {} : readOutputs(await opened.stack.outputs()));
  if (terminal.json) {
    const result = await runSsh(target, {
      command: command.length === 0 ? ["true"] : command,
      capture: true,
    });
    terminal.result({ target, ...result });
    return result.code;
  }
  return (await runSsh(target, { command })).code;
}
