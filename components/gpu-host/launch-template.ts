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
}

/** The name of a market's template: the ladder's first market has the plain one. */
function templateName(name: string, purchase: Purchase, { ladder }: GpuHostArgs): string {
  return ladder[0].purchase === purchase ? `${name}-template` : `${name}-template-${purchase}`;
}

/**
 * What a fleet launches: only tokens at the metadata service, an encrypted root volume that goes with the host, a shutdown
 * from inside that terminates, and tags on all that is made.
 */
export function launchTemplate(
  name: string,
  args: GpuHostArgs,
  { parent, purchase, imageId, keyName, profileName }: TemplateOf,
): aws.ec2.LaunchTemplate {
  const role = templateName(name, purchase, args);
  return new aws.ec2.LaunchTemplate(
    role,
    {
      imageId,
      keyName,
      userData: userData(args),
      iamInstanceProfile: { name: profileName },
      vpcSecurityGroupIds: [args.securityGroupId],
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
