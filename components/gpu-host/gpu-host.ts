import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import type { Placement } from "../plan.ts";
import { hourlyParts } from "../pricing/rung-cost.ts";
import { HostLaunch, type LaunchedRung, type LaunchRung } from "./host-launch.ts";
import type { AdapterLocations, WeightsLocation } from "./instance-role.ts";
import type { LaunchRefusal } from "./launch-refusal.ts";
import { launchTemplate, templateParts } from "./launch-template.ts";
import type { IdleStop } from "./user-data.ts";
import type { SeededHostKey } from "./seeded-host-key.ts";

/** What a GPU host is made of. */
export interface GpuHostArgs {
  /** Types to try in which zones and markets, in this order; decided by the plan. */
  readonly ladder: readonly [Placement, ...Placement[]];
  /** Encrypted gp3 root volume, GiB. */
  readonly rootVolumeGiB: number;
  readonly subnetIds: pulumi.Input<string[]>;
  readonly securityGroupId: pulumi.Input<string>;
  /** The OpenSSH public line of the key that may log in. */
  readonly sshPublicKey: string;
  readonly hostKey: Pick<SeededHostKey, "privateKey" | "publicKey">;
  readonly weights: WeightsLocation;
  /** Where the host may keep checkpoints of a training. @default nowhere */
  readonly checkpoints?: WeightsLocation | undefined;
  /** Where adapters are that are served beside the model. @default nowhere */
  readonly adapters?: AdapterLocations | undefined;
  /** RFC 3339 in UTC; empty means no end. */
  readonly expiresAt: pulumi.Input<string>;
  /** What has to be there before the instance: the network's routes, and what ends it. */
  readonly after: readonly pulumi.Resource[];
  readonly tags: TagInputs;
  /** Further tags of what the fleet launches, which may change while the rest stays. @default none */
  readonly launchTags?: TagInputs | undefined;
  /** Let Session Manager in, for SSH through it. @default false */
  readonly sessionManager?: boolean | undefined;
  /** When a host that nobody uses ends itself. @default never */
  readonly idle?: IdleStop | undefined;
  /** What an image has to have been baked for to be taken instead of the public one. @default none is looked for */
  readonly bakeKey?: string | undefined;
  /** @default the newest deep-learning image (Ubuntu 24.04, NVIDIA driver), by its public SSM parameter */
  readonly imageId?: string | undefined;
}

/**
 * One EC2 GPU instance, taken from the ladder by {@link HostLaunch}, and then kept: a later `up` with another ladder, image or
 * key does not touch a running host; take it down and up again for that. SSH is the only way in; the metadata service wants
 * a token; the root volume is encrypted and goes with the host; a shutdown from inside terminates it.
 *
 * ### Cost
 * The placement's hourly price, the root volume's (100 GiB of gp3 are $0.011 an hour in us-east-1), and $0.005 an hour for
 * the public IPv4 address.
 */
export class GpuHost extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  /** The rung of the ladder that EC2 gave; a later ladder does not change it. */
  readonly launched: pulumi.Output<LaunchedRung>;
  /** What EC2 refused on the way to it. */
  readonly refusals: pulumi.Output<readonly LaunchRefusal[]>;
  /** The public address, or the private one where there is none. */
  readonly address: pulumi.Output<string>;
  /** Who may log in on the image. */
  readonly user = "ubuntu";

  constructor(name: string, args: GpuHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:GpuHost", name, {}, opts);
    const launch = hostLaunch(name, args, this);
    this.instanceId = launch.instanceId;
    this.launched = launch.launched;
    this.refusals = launch.refusals;
    const instance = aws.ec2.getInstanceOutput({ instanceId: this.instanceId }, { parent: this });
    this.address = pulumi
      .all([instance.publicIp, instance.privateIp])
      .apply(([publicIp, privateIp]) => (publicIp === "" ? privateIp : publicIp));
    this.registerOutputs({ instanceId: this.instanceId, address: this.address });
  }
}

/** What the rungs of a ladder are launched from, and in which order. */
function hostLaunch(name: string, args: GpuHostArgs, parent: pulumi.Resource): HostLaunch {
  const { ladder, subnetIds, rootVolumeGiB, tags, after } = args;
  const parts = templateParts(name, args, parent);
  const purchases = [...new Set(ladder.map(({ purchase }) => purchase))];
  const templates = purchases.map((purchase) => {
    const { id, latestVersion } = launchTemplate(name, args, { parent, purchase, ...parts });
    return [purchase, { id, version: latestVersion.apply(String) }] as const;
  });
  return new HostLaunch(
    `${name}-launch`,
    {
      region: ladder[0].region,
      templates: Object.fromEntries(templates),
      subnetIds,
      rungs: ladder.map((placement) => launchRung(placement, rootVolumeGiB)),
      tags: namedTags(tags, `${name}-fleet`),
    },
    { parent, dependsOn: [...after] },
  );
}

/** A placement as a launch asks for it. */
export function launchRung(placement: Placement, rootVolumeGiB: number): LaunchRung {
  const { instanceType, region, purchase, zones, hourlyUsd, spotMaxHourlyUsd } = placement;
  const { gpuModel, gpuCount, tensorParallel } = placement;
  const { totalUsd } = hourlyParts(region, hourlyUsd, rootVolumeGiB);
  return {
    instanceType,
    purchase,
    zones,
    totalHourlyUsd: totalUsd,
    spotMaxHourlyUsd,
    gpuModel,
    gpuCount,
    tensorParallel,
  };
}
