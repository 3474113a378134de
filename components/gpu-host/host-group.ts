import * as pulumi from "@pulumi/pulumi";
import type { LaunchRung, TemplateVersion } from "./host-launch.ts";
import type { LaunchRefusal } from "./launch-refusal.ts";

/** A rung as a group asks for it. */
export type GroupRung = LaunchRung & {
  /** Key of the template that it is launched from. */
  readonly template: string;
};

/** The rung that EC2 gave all hosts of a group, and where. */
export type LaunchedGroupRung = GroupRung & { readonly zone: string };

/** What hosts of a group are launched from. */
export interface GroupGroundArgs {
  readonly region: string;
  /** Begins the name of each host. */
  readonly name: string;
  readonly templates: Readonly<Record<string, TemplateVersion>>;
  readonly subnetIds: pulumi.Input<string[]>;
  /** Of the fleets that are asked for. */
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Inputs of {@link HostGroup}. */
export interface HostGroupArgs extends GroupGroundArgs {
  /** How many, two or more. */
  readonly hosts: number;
  /** In the order in which they are tried. */
  readonly rungs: readonly GroupRung[];
}

/**
 * Several equal instances, all or none: the first rung of the ladder that gives them all in one zone. It decides once, and
 * launches the first of each number; what is lost later, {@link GroupHost} brings back.
 */
export class HostGroup extends pulumi.CustomResource {
  declare readonly launched: pulumi.Output<LaunchedGroupRung>;
  declare readonly refusals: pulumi.Output<readonly LaunchRefusal[]>;
  declare readonly fleetIds: pulumi.Output<readonly string[]>;

  constructor(name: string, args: HostGroupArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { launched: undefined, refusals: undefined, fleetIds: undefined };
    // Made once: hosts that are there stay, whatever a newer ladder, template or network would choose.
    const ignoreChanges = ["hosts", "templates", "subnetIds", "rungs"];
    super("berth:index:HostGroup", name, { ...args, ...outputs }, { ...opts, ignoreChanges });
  }
}

/** Inputs of {@link GroupHost}. */
export interface GroupHostArgs extends GroupGroundArgs {
  /** Which of the group, from 0. */
  readonly index: number;
  readonly launched: pulumi.Input<LaunchedGroupRung>;
  readonly groupFleetIds: pulumi.Input<readonly string[]>;
}

/** One host of a group: the one that the group launched, or another in its place once that one is lost. */
export class GroupHost extends pulumi.CustomResource {
  declare readonly instanceId: pulumi.Output<string>;

  constructor(name: string, args: GroupHostArgs, opts?: pulumi.CustomResourceOptions) {
    const ignoreChanges = ["launched", "templates", "subnetIds", "groupFleetIds"];
    super(
      "berth:index:GroupHost",
      name,
      { ...args, instanceId: undefined, fleetIds: undefined },
      { ...opts, ignoreChanges },
    );
  }
}
