import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { explainedLater } from "../explained.ts";
import type { TagInputs } from "../named-tags.ts";
import type { Placement } from "../plan.ts";
import { UserError } from "../user-error.ts";
import type { WeightsLocation } from "./instance-role.ts";
import { instantFleet } from "./instant-fleet.ts";
import { launchTemplate } from "./launch-template.ts";
import type { IdleStop } from "./user-data.ts";
import type { SeededHostKey } from "./seeded-host-key.ts";

/** What a GPU host is made of. */
export interface GpuHostArgs {
  /** Types to try, cheapest first; decided by the plan. */
  readonly ladder: readonly [Placement, ...Placement[]];
  /** Encrypted gp3 root volume, GiB. */
  readonly rootVolumeGiB: number;
  readonly subnetIds: pulumi.Input<string[]>;
  readonly securityGroupId: pulumi.Input<string>;
  /** The OpenSSH public line of the key that may log in. */
  readonly sshPublicKey: string;
  readonly hostKey: Pick<SeededHostKey, "privateKey" | "publicKey">;
  readonly weights: WeightsLocation;
  /** RFC 3339 in UTC; empty means no end. */
  readonly expiresAt: pulumi.Input<string>;
  /** What has to be there before the instance: the network's routes, and what ends it. */
  readonly after: readonly pulumi.Resource[];
  readonly tags: TagInputs;
  /** Further tags of what the fleet launches, which may change while the rest stays. @default none */
  readonly launchTags?: TagInputs | undefined;
  /** When a host that nobody uses ends itself. @default never */
  readonly idle?: IdleStop | undefined;
  /** @default the newest deep-learning image (Ubuntu 22.04, NVIDIA driver), by its public SSM parameter */
  readonly imageId?: string | undefined;
}

/**
 * One EC2 GPU instance, taken by an instant fleet from the ladder, and then kept: a later `up` with another ladder, image or
 * key does not touch a running host; take it down and up again for that. SSH is the only way in; the metadata service wants
 * a token; the root volume is encrypted and goes with the host; a shutdown from inside terminates it.
 *
 * ### Cost
 * The placement's hourly price, the root volume's (100 GiB of gp3 are $0.011 an hour in us-east-1), and $0.005 an hour for
 * the public IPv4 address.
 */
export class GpuHost extends pulumi.ComponentResource {
  readonly instanceId: pulumi.Output<string>;
  readonly instanceType: pulumi.Output<string>;
  /** The public address, or the private one where there is none. */
  readonly address: pulumi.Output<string>;
  /** Who may log in on the image. */
  readonly user = "ubuntu";

  constructor(name: string, args: GpuHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:GpuHost", name, {}, opts);
    const template = launchTemplate(name, args, this);
    const fleet = instantFleet(name, args, template, this);
    const launched = fleet.fleetInstanceSets.apply((sets) =>
      explainedLater(() => launchedInstance(sets, args)),
    );
    this.instanceId = launched.apply(({ instanceId }) => instanceId);
    this.instanceType = launched.apply(({ instanceType }) => instanceType);
    const instance = aws.ec2.getInstanceOutput({ instanceId: this.instanceId }, { parent: this });
    this.address = pulumi
      .all([instance.publicIp, instance.privateIp])
      .apply(([publicIp, privateIp]) => (publicIp === "" ? privateIp : publicIp));
    this.registerOutputs({ instanceId: this.instanceId, address: this.address });
  }
}

/** One entry of a fleet's answer. */
interface InstanceSet {
  readonly instanceIds?: readonly string[] | undefined;
  readonly instanceType?: string | undefined;
}

/**
 * The one instance that the fleet got.
 *
 * @throws UserError when it got none, which is a lack of capacity or of quota
 */
export function launchedInstance(
  sets: readonly InstanceSet[],
  { ladder }: Pick<GpuHostArgs, "ladder">,
): { readonly instanceId: string; readonly instanceType: string } {
  for (const { instanceIds, instanceType } of sets) {
    const instanceId = instanceIds?.[0];
    if (instanceId !== undefined) return { instanceId, instanceType: instanceType ?? "unknown" };
  }
  const [{ region, purchase }] = ladder;
  const types = [...new Set(ladder.map(({ instanceType }) => instanceType))];
  throw new UserError(`${region} gave no ${purchase} instance of ${types.join(", ")}.`, {
    hint: "It lacks capacity or your quota is too low: take the stack down, then try on demand, more types or another region.",
  });
}
