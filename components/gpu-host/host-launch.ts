import * as pulumi from "@pulumi/pulumi";
import type { Placement, Purchase } from "../plan.ts";
import type { LaunchRefusal } from "./launch-refusal.ts";

/** A rung as it is asked for, and what has to be known of it once it was taken. */
export type LaunchRung = Pick<
  Placement,
  | "instanceType"
  | "purchase"
  | "zones"
  | "spotMaxHourlyUsd"
  | "gpuModel"
  | "gpuCount"
  | "tensorParallel"
> & {
  /** Instance, volume and public address, USD; with spot it is the most that an hour can cost. */
  readonly totalHourlyUsd: number;
};

/** The rung that EC2 gave, and where. */
export type LaunchedRung = LaunchRung & { readonly zone: string };

/** A launch template in one version. */
export interface TemplateVersion {
  readonly id: pulumi.Input<string>;
  readonly version: pulumi.Input<string>;
}

/** Inputs of {@link HostLaunch}. */
export interface HostLaunchArgs {
  readonly region: string;
  /** One a market of the rungs: only a spot request can be tagged as one. */
  readonly templates: Readonly<Partial<Record<Purchase, TemplateVersion>>>;
  readonly subnetIds: pulumi.Input<string[]>;
  /** In the order in which they are tried. */
  readonly rungs: readonly LaunchRung[];
  /** Of the fleets that are asked for. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Made once: a host that is there stays, whatever a newer ladder, template or network would choose. */
const pinned = ["templates", "subnetIds", "rungs"];

/**
 * One instance, taken from the first rung of the ladder that EC2 gives, each type in every zone that offers it, one market
 * after the other. What was refused, and why, stands in its outputs.
 */
export class HostLaunch extends pulumi.CustomResource {
  declare readonly instanceId: pulumi.Output<string>;
  declare readonly launched: pulumi.Output<LaunchedRung>;
  declare readonly refusals: pulumi.Output<readonly LaunchRefusal[]>;

  constructor(name: string, args: HostLaunchArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { instanceId: undefined, launched: undefined, refusals: undefined };
    super(
      "berth:index:HostLaunch",
      name,
      { ...args, ...outputs, fleetIds: undefined },
      { ...opts, ignoreChanges: pinned },
    );
  }
}
