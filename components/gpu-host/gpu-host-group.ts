import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags } from "../named-tags.ts";
import { launchRung, type GpuHostArgs } from "./gpu-host.ts";
import { GroupHost, HostGroup, type GroupRung } from "./host-group.ts";
import type { LaunchedRung, TemplateVersion } from "./host-launch.ts";
import type { LaunchRefusal } from "./launch-refusal.ts";
import { launchTemplate, templateParts } from "./launch-template.ts";

/** What a group of GPU hosts is made of. */
export interface GpuHostGroupArgs extends GpuHostArgs {
  /** How many, two or more. */
  readonly hosts: number;
  /**
   * One cluster placement group, and an Elastic Fabric Adapter where the type has one, for a training over all of the hosts.
   *
   * @default false
   */
  readonly clusterNetwork?: boolean | undefined;
  /** Types of the ladder that can have an Elastic Fabric Adapter. @default none is known to */
  readonly efaTypes?: ReadonlySet<string> | undefined;
}

/** One host of a group, as what runs on it has to know it. */
export interface HostOfGroup {
  /** From 0. */
  readonly index: number;
  readonly instanceId: pulumi.Output<string>;
  /** The public address, or the private one where there is none. */
  readonly address: pulumi.Output<string>;
  /** By which the others of the group reach it. */
  readonly privateAddress: pulumi.Output<string>;
}

/**
 * Several equal EC2 GPU hosts in one zone, of one type and one market: all of them or none. Each is as
 * {@link GpuHost} makes one. One that is lost is brought back in its place by the next `up`, while the others stay.
 *
 * ### Cost
 * That of a host, as many times as there are hosts.
 */
export class GpuHostGroup extends pulumi.ComponentResource {
  readonly hosts: readonly HostOfGroup[];
  /** The rung of the ladder that EC2 gave. */
  readonly launched: pulumi.Output<LaunchedRung>;
  /** What EC2 refused on the way to it. */
  readonly refusals: pulumi.Output<readonly LaunchRefusal[]>;
  /** Who may log in on the image. */
  readonly user = "ubuntu";

  constructor(name: string, args: GpuHostGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:GpuHostGroup", name, {}, opts);
    const { ladder, rootVolumeGiB, subnetIds, tags, after } = args;
    const ground = {
      region: ladder[0].region,
      name,
      templates: groupTemplates(name, args, this),
      subnetIds,
      tags: namedTags(tags, `${name}-fleet`),
    };
    const rungs: GroupRung[] = ladder.map((placement) => {
      return { ...launchRung(placement, rootVolumeGiB), template: templateKey(args, placement) };
    });
    const group = new HostGroup(
      `${name}-group`,
      { ...ground, hosts: args.hosts, rungs },
      { parent: this, dependsOn: [...after] },
    );
    this.launched = group.launched;
    this.refusals = group.refusals;
    this.hosts = Array.from({ length: args.hosts }, (_, index) => {
      const { launched, fleetIds: groupFleetIds } = group;
      const host = new GroupHost(
        `${name}-${index}`,
        { ...ground, index, launched, groupFleetIds },
        { parent: this },
      );
      return { index, instanceId: host.instanceId, ...addressesOf(host.instanceId, this) };
    });
    this.registerOutputs({ instanceIds: this.hosts.map(({ instanceId }) => instanceId) });
  }
}

function addressesOf(instanceId: pulumi.Output<string>, parent: pulumi.Resource) {
  const { publicIp, privateIp } = aws.ec2.getInstanceOutput({ instanceId }, { parent });
  const address = pulumi
    .all([publicIp, privateIp])
    .apply(([outside, inside]) => (outside === "" ? inside : outside));
  return { address, privateAddress: privateIp };
}

type Rung = GpuHostArgs["ladder"][number];

function hasEfa({ clusterNetwork = false, efaTypes }: GpuHostGroupArgs, rung: Rung): boolean {
  return clusterNetwork && efaTypes?.has(rung.instanceType) === true;
}

/** Types with and without a fabric adapter cannot be launched from one template. */
function templateKey(args: GpuHostGroupArgs, rung: Rung): string {
  return hasEfa(args, rung) ? `${rung.purchase}-efa` : rung.purchase;
}

/** A template for each market of the ladder, and another where types of it have a fabric adapter. */
function groupTemplates(
  name: string,
  args: GpuHostGroupArgs,
  parent: pulumi.Resource,
): Record<string, TemplateVersion> {
  const parts = templateParts(name, args, parent);
  const placementGroup = args.clusterNetwork === true ? clusterOf(name, args, parent) : undefined;
  const wanted = new Map(args.ladder.map((rung) => [templateKey(args, rung), rung]));
  return Object.fromEntries(
    [...wanted].map(([key, rung]) => {
      const { purchase } = rung;
      const efa = hasEfa(args, rung);
      const of = { parent, purchase, placementGroup, efa, ...parts };
      const { id, latestVersion } = launchTemplate(name, args, of);
      return [key, { id, version: latestVersion.apply(String) }];
    }),
  );
}

/** Hosts close to each other: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html#placement-groups-cluster */
function clusterOf(name: string, { tags }: GpuHostGroupArgs, parent: pulumi.Resource) {
  const role = `${name}-cluster`;
  const group = new aws.ec2.PlacementGroup(
    role,
    { strategy: "cluster", tags: namedTags(tags, role) },
    { parent },
  );
  return group.name;
}
