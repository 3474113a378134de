import type * as pulumi from "@pulumi/pulumi";
import { loadCatalogue } from "../components/catalogue/load.ts";
import { GpuHost, type GpuHostArgs } from "../components/gpu-host/gpu-host.ts";
import { GpuHostGroup, type HostOfGroup } from "../components/gpu-host/gpu-host-group.ts";
import type { HostNames } from "./ready-host.ts";
import type { HostSettings as Settings } from "./settings.ts";

/** What hosts are launched by: the deployment's settings, its names and its providers. */
export interface Launch {
  readonly settings: Settings;
  readonly name: (role: string) => string;
  readonly inAccount: pulumi.ComponentResourceOptions;
}

interface LaunchedHost extends Omit<HostOfGroup, "privateAddress"> {
  /** By which the other hosts of the stack reach it; undefined where it is the only one. */
  readonly privateAddress: pulumi.Output<string> | undefined;
  readonly names: HostNames;
}

/** The hosts of a stack, before anything runs on them. */
export interface LaunchedHosts extends Pick<GpuHost, "user" | "launched" | "refusals"> {
  readonly hosts: readonly LaunchedHost[];
}

/** Types of the catalogue that can have an Elastic Fabric Adapter. */
function efaTypes(): ReadonlySet<string> {
  const { instanceTypes } = loadCatalogue();
  return new Set(
    instanceTypes.filter(({ efa }) => efa === true).map(({ instanceType }) => instanceType),
  );
}

function namesBy(role: (part: string) => string, rotation: string): HostNames {
  return {
    rotation: role(rotation),
    bootstrap: role("bootstrap"),
    weights: role("weights"),
    server: role("server"),
    adapter: (adapter) => role(`adapter-${adapter}`),
  };
}

/** One host, by the names that it always had, or a group of them. */
export function launchHosts(launch: Launch, args: GpuHostArgs): LaunchedHosts {
  const { settings, name, inAccount } = launch;
  const opts = { ...inAccount, protect: settings.protect };
  if (settings.hosts === 1) {
    const host = new GpuHost(name("host"), args, opts);
    const { instanceId, address, user, launched, refusals } = host;
    const names = namesBy(name, "host-key-rotation");
    const only = { index: 0, instanceId, address, privateAddress: undefined, names };
    return { hosts: [only], user, launched, refusals };
  }
  const { hosts: count, clusterNetwork = false } = settings;
  const cluster = clusterNetwork ? { clusterNetwork, efaTypes: efaTypes() } : {};
  const group = new GpuHostGroup(name("host"), { ...args, ...cluster, hosts: count }, opts);
  const hosts = group.hosts.map((host) => {
    const role = (part: string) => name(`host-${host.index}-${part}`);
    return { ...host, names: namesBy(role, "key-rotation") };
  });
  const { user, launched, refusals } = group;
  return { hosts, user, launched, refusals };
}
