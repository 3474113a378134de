import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags } from "../named-tags.ts";
import { bakeTag } from "./baked-image.ts";
import { baseImageParameter } from "./base-image.ts";
import type { GpuHostArgs } from "./gpu-host.ts";
import { instanceProfile } from "./instance-role.ts";
import type { Purchase } from "../plan.ts";
import { renderUserData } from "./user-data.ts";

/** Root device of Ubuntu's images: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html */
const rootDevice = "/dev/sda1";

/** What templates of every market share. */
export interface TemplateParts {
  readonly imageId: pulumi.Input<string>;
  readonly keyName: pulumi.Input<string>;
  readonly profileName: pulumi.Input<string>;
}

/** Image, key and role of a host. */
export function templateParts(
  name: string,
  args: GpuHostArgs,
  parent: pulumi.Resource,
): TemplateParts {
  const { tags, sshPublicKey } = args;
  const imageId = args.imageId ?? chosenImage(args, parent);
  const keyPair = new aws.ec2.KeyPair(
    `${name}-key`,
    { publicKey: sshPublicKey, tags: namedTags(tags, `${name}-key`) },
    { parent },
  );
  const profile = instanceProfile(name, args, parent);
  return { imageId, keyName: keyPair.keyName, profileName: profile.name };
}

/** The newest image that was baked in this account for the same plan, else the public one. */
function chosenImage({ bakeKey }: GpuHostArgs, parent: pulumi.Resource): pulumi.Output<string> {
  const base = aws.ssm.getParameterOutput({ name: baseImageParameter }, { parent }).insecureValue;
  if (bakeKey === undefined) return base;
  const filters = [
    { name: `tag:${bakeTag}`, values: [bakeKey] },
    { name: "state", values: ["available"] },
  ];
  const baked = aws.ec2.getAmiIdsOutput({ owners: ["self"], filters }, { parent });
  return pulumi.all([baked.ids, base]).apply(([ids, usual]) => ids[0] ?? usual);
}

interface TemplateOf extends TemplateParts {
  readonly parent: pulumi.Resource;
  readonly purchase: Purchase;
  /** Name of the placement group to launch in. @default none */
  readonly placementGroup?: pulumi.Input<string> | undefined;
  /** Whether the first network card gets an Elastic Fabric Adapter. @default false */
  readonly efa?: boolean | undefined;
}

/** The name of a market's template: the ladder's first market has the plain one. */
function templateName(
  name: string,
  { purchase, efa }: Pick<TemplateOf, "purchase" | "efa">,
  { ladder }: GpuHostArgs,
): string {
  const market = ladder[0].purchase === purchase ? "" : `-${purchase}`;
  return `${name}-template${market}${efa === true ? "-efa" : ""}`;
}

/** How a host is in its network: by the security group alone, or through a fabric adapter of that group. */
function network({ securityGroupId }: GpuHostArgs, { efa, placementGroup }: TemplateOf) {
  const placement =
    placementGroup === undefined ? {} : { placement: { groupName: placementGroup } };
  if (efa !== true) return { ...placement, vpcSecurityGroupIds: [securityGroupId] };
  // The adapter is the host's usual network too (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa.html).
  const adapter = {
    deviceIndex: 0,
    networkCardIndex: 0,
    interfaceType: "efa",
    securityGroups: [securityGroupId],
    deleteOnTermination: "true",
  };
  return { ...placement, networkInterfaces: [adapter] };
}

/**
 * What a fleet launches: only tokens at the metadata service, an encrypted root volume that goes with the host, a shutdown
 * from inside that terminates, and tags on all that is made.
 */
export function launchTemplate(
  name: string,
  args: GpuHostArgs,
  of: TemplateOf,
): aws.ec2.LaunchTemplate {
  const { parent, purchase, imageId, keyName, profileName } = of;
  const role = templateName(name, of, args);
  return new aws.ec2.LaunchTemplate(
    role,
    {
      imageId,
      keyName,
      userData: userData(args),
      iamInstanceProfile: { name: profileName },
      ...network(args, of),
      instanceInitiatedShutdownBehavior: "terminate",
      metadataOptions: {
        httpEndpoint: "enabled",
        httpTokens: "required",
        httpPutResponseHopLimit: 1,
      },
      blockDeviceMappings: [rootVolume(args.rootVolumeGiB)],
      tagSpecifications: tagSpecifications(name, args, purchase),
      updateDefaultVersion: true,
      tags: namedTags(args.tags, role),
    },
    // Both are made anew by every run; a host that is there keeps those it was made from.
    { parent, ignoreChanges: ["imageId", "userData"] },
  );
}

function userData({ hostKey, sshPublicKey, expiresAt, idle }: GpuHostArgs): pulumi.Output<string> {
  const text = pulumi
    .all([hostKey.privateKey, hostKey.publicKey, expiresAt])
    .apply(([privateKey, publicKey, end]) =>
      renderUserData({
        hostKey: { privateKey, publicKey },
        authorizedKey: sshPublicKey,
        expiresAt: end,
        idle,
      }),
    );
  return pulumi.secret(text.apply((config) => Buffer.from(config).toString("base64")));
}

function rootVolume(sizeGiB: number) {
  return {
    deviceName: rootDevice,
    ebs: {
      volumeSize: sizeGiB,
      volumeType: "gp3",
      encrypted: "true",
      deleteOnTermination: "true",
    },
  };
}

/** Provider default tags do not reach what a fleet launches: each kind is tagged by the template. */
function tagSpecifications(name: string, { tags, launchTags }: GpuHostArgs, purchase: Purchase) {
  const kinds = ["instance", "volume", "network-interface"];
  if (purchase === "spot") kinds.push("spot-instances-request");
  return kinds.map((resourceType) => ({
    resourceType,
    tags: namedTags({ ...tags, ...launchTags }, name),
  }));
}
