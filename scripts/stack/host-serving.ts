import { readHostState, type HostState } from "../adapters/host-state.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { hostName, hostsOf, type OutputsOfHost } from "./stack-hosts.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** One host of a stack, as its account sees it. */
export interface HostServing {
  readonly host: OutputsOfHost;
  readonly state: HostState;
  readonly line: string;
}

/** How the host was bought and where, and how much of the ladder was refused before. */
function launchText({ launched, refusals = [] }: BerthOutputs): string {
  if (launched === undefined) return "";
  const codes = [...new Set(refusals.map(({ code }) => code))].join(", ");
  const before = codes === "" ? "" : `; ${refusals.length} refused before it (${codes})`;
  return `, ${launched.purchase} in ${launched.zone}${before}`;
}

function hostLine(outputs: OutputsOfHost, { state, why }: HostState): string {
  const { instanceType = "?", instanceId = "?", address = "?", index } = outputs;
  const name = hostName(outputs, index).padEnd(10);
  const more = why === undefined ? "" : ` (${why})`;
  return `${name} ${state}${more}: ${instanceType} ${instanceId} at ${address}${launchText(outputs)}`;
}

/** Asks EC2 what has become of every host. */
export function readHosts(
  scope: AccountScope,
  outputs: BerthOutputs,
): Promise<readonly HostServing[]> {
  return Promise.all(
    hostsOf(outputs).map(async (host): Promise<HostServing> => {
      const state = await readHostState(scope, host.instanceId ?? "");
      return { host, state, line: hostLine(host, state) };
    }),
  );
}

const over = ["gone", "terminated", "shutting-down"];

/** Of several hosts in one word: "running" or an end where all are so, else how many run. */
export function stateTogether(hosts: readonly HostServing[]): HostState {
  const unknown = hosts.find(({ state }) => state.state === "unknown");
  if (unknown !== undefined) return unknown.state;
  const running = hosts.filter(({ state }) => state.state === "running");
  const ended = hosts.filter(({ state }) => over.includes(state.state));
  if (running.length === hosts.length) return { state: "running" };
  if (ended.length === hosts.length) return ended[0]?.state ?? { state: "gone" };
  return { state: `${running.length} of ${hosts.length} running` };
}

/** Of several hosts the state of one that has ended, else of one that does not run. */
export function stateOfAll(hosts: readonly HostServing[]): HostState {
  const states = hosts.map(({ state }) => state);
  return (
    states.find(({ state }) => state === "gone" || state === "terminated") ??
    states.find(({ state }) => state !== "running") ??
    states[0] ?? { state: "gone" }
  );
}
