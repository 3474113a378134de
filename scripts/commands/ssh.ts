import { cloudOf } from "../adapters/local-cloud.ts";
import { knownHostsText, runSsh } from "../adapters/ssh.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { outputsOfHost, type HostOption } from "../stack/stack-hosts.ts";
import { readOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth ssh`. */
export interface SshOptions extends StackOptions, HostOption {
  /** Print the lines that pin the host's key, for another client, and log in to nothing. */
  readonly knownHosts?: boolean;
}

/** `berth ssh [command...]`: a shell on the host, or one command there; only the pinned host key is believed. */
export async function runSshCommand(
  command: readonly string[],
  options: SshOptions,
  terminal: Terminal,
): Promise<number> {
  const opened = await findDeployment(options, cloudOf(options.env));
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  const target = sshTarget(outputsOfHost(outputs, options));
  if (options.knownHosts === true) {
    const lines = knownHostsText(target);
    terminal.say(...lines.trimEnd().split("\n"));
    terminal.result({ target, knownHosts: lines });
    return exitCode.ok;
  }
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
