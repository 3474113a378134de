import { UserError } from "../../components/user-error.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** Flag of the commands that work with one host of a stack. */
export interface HostOption {
  /** Which of several, from 0. @default 0 */
  readonly host?: string;
}

/** One host, with what the stack tells of all of them. */
export type OutputsOfHost = BerthOutputs & {
  /** From 0. */
  readonly index: number;
};

/** Every host of a stack as if it were the only one; none where it has none, or an endpoint. */
export function hostsOf(outputs: BerthOutputs): readonly OutputsOfHost[] {
  const { hosts, instanceId } = outputs;
  if (instanceId === undefined) return [];
  return hosts === undefined
    ? [{ ...outputs, index: 0 }]
    : hosts.map((host) => ({ ...outputs, ...host }));
}

/**
 * The outputs of the host that a command was asked for, as if it were the only one.
 *
 * @throws UserError when the stack has no such host
 */
export function outputsOfHost(outputs: BerthOutputs, { host }: HostOption): BerthOutputs {
  if (host === undefined) return outputs;
  const hosts = hostsOf(outputs);
  const found = hosts.find(({ index }) => String(index) === host.trim());
  if (found !== undefined) return found;
  const numbers = hosts.map(({ index }) => index).join(", ");
  throw new UserError(`--host ${host}: the stack has no such host.`, {
    hint: numbers === "" ? "It has none." : `Its hosts are ${numbers}.`,
  });
}

/** "host" where there is one, "host 1" where there are several. */
export function hostName({ hosts }: BerthOutputs, index: number): string {
  return hosts === undefined ? "host" : `host ${index}`;
}
