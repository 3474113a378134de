import type { RequestLaunchTemplateData, ResponseLaunchTemplateData } from "@aws-sdk/client-ec2";
import { fromAws, toAws } from "../../engine/casing.ts";
import {
  boolean,
  list,
  map,
  number,
  object,
  set,
  string,
  type ValuesOf,
} from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";

/** Text in Pulumi's property, since it has three states there: true, false, not said. */
const flag = string({ oneOf: ["true", "false", ""] });

/** What a launch template says of instances, property for property. */
export const templateFields = {
  imageId: string(),
  instanceType: string(),
  keyName: string(),
  /** Base64. */
  userData: string(),
  ebsOptimized: flag,
  disableApiStop: boolean(),
  disableApiTermination: boolean(),
  instanceInitiatedShutdownBehavior: string({ oneOf: ["stop", "terminate"] }),
  vpcSecurityGroupIds: set(string()),
  securityGroupNames: set(string()),
  iamInstanceProfile: object({ arn: string(), name: string() }),
  monitoring: object({ enabled: boolean() }),
  creditSpecification: object({ cpuCredits: string() }),
  metadataOptions: object(
    {
      httpEndpoint: string({ computed: true, oneOf: ["enabled", "disabled"] }),
      httpTokens: string({ computed: true, oneOf: ["optional", "required"] }),
      httpPutResponseHopLimit: number({ computed: true }),
      httpProtocolIpv6: string({ computed: true }),
      instanceMetadataTags: string({ computed: true }),
    },
    { computed: true },
  ),
  blockDeviceMappings: list(
    object({
      deviceName: string(),
      noDevice: string(),
      virtualName: string(),
      ebs: object({
        deleteOnTermination: flag,
        encrypted: flag,
        iops: number({ computed: true }),
        kmsKeyId: string(),
        snapshotId: string(),
        throughput: number({ computed: true }),
        volumeSize: number({ computed: true }),
        volumeType: string({ computed: true }),
      }),
    }),
  ),
  instanceMarketOptions: object({
    marketType: string({ oneOf: ["spot", "capacity-block"] }),
    spotOptions: object({
      blockDurationMinutes: number(),
      instanceInterruptionBehavior: string(),
      maxPrice: string(),
      spotInstanceType: string(),
      validUntil: string({ computed: true }),
    }),
  }),
  networkInterfaces: list(
    object({
      associatePublicIpAddress: flag,
      deleteOnTermination: flag,
      description: string(),
      deviceIndex: number(),
      interfaceType: string(),
      networkCardIndex: number(),
      networkInterfaceId: string(),
      privateIpAddress: string(),
      securityGroups: set(string()),
      subnetId: string(),
    }),
  ),
  placement: object({
    affinity: string(),
    availabilityZone: string(),
    groupName: string(),
    hostId: string(),
    spreadDomain: string(),
    tenancy: string(),
    partitionNumber: number(),
  }),
  tagSpecifications: list(object({ resourceType: string(), tags: map() })),
};

/** The values of {@link templateFields}. */
export type TemplateInputs = ValuesOf<typeof templateFields>;

function fromFlag(value: string | undefined): boolean | undefined {
  return value === undefined || value === "" ? undefined : value === "true";
}

function toFlag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** A template's inputs as EC2 takes them; nested objects differ by their case only, but for what is named here. */
export function templateRequest(inputs: TemplateInputs): RequestLaunchTemplateData {
  const known = Object.entries(inputs).filter(([key]) => key in templateFields);
  const { securityGroupNames, vpcSecurityGroupIds, ...rest } = Object.fromEntries(
    known,
  ) as TemplateInputs;
  const data = toAws(rest) as RequestLaunchTemplateData;
  return {
    ...data,
    SecurityGroups: securityGroupNames,
    SecurityGroupIds: vpcSecurityGroupIds,
    EbsOptimized: fromFlag(inputs.ebsOptimized),
    BlockDeviceMappings: inputs.blockDeviceMappings?.map(({ ebs, ...mapping }) => ({
      ...(toAws(mapping) as object),
      ...(ebs === undefined
        ? {}
        : {
            Ebs: {
              ...(toAws(ebs) as object),
              Encrypted: fromFlag(ebs.encrypted),
              DeleteOnTermination: fromFlag(ebs.deleteOnTermination),
            },
          }),
    })),
    NetworkInterfaces: inputs.networkInterfaces?.map(({ securityGroups, ...one }) => ({
      ...(toAws(one) as object),
      Groups: securityGroups,
      AssociatePublicIpAddress: fromFlag(one.associatePublicIpAddress),
      DeleteOnTermination: fromFlag(one.deleteOnTermination),
    })),
    TagSpecifications: inputs.tagSpecifications?.map(({ resourceType, tags }) => ({
      ResourceType: resourceType as "instance",
      Tags: awsTags(tags),
    })),
  };
}

/** What EC2 says of a template's version, in the terms of the inputs. */
export function templateValues(data: ResponseLaunchTemplateData): TemplateInputs {
  const plain = fromAws(data) as Record<string, unknown>;
  const known = Object.entries(plain).filter(([key]) => key in templateFields);
  const missing = Object.keys(templateFields).map((key) => [key, undefined] as const);
  return {
    ...Object.fromEntries(missing),
    ...(Object.fromEntries(known) as TemplateInputs),
    ebsOptimized: toFlag(data.EbsOptimized),
    securityGroupNames: data.SecurityGroups,
    vpcSecurityGroupIds: data.SecurityGroupIds,
    blockDeviceMappings: data.BlockDeviceMappings?.map(({ Ebs, ...mapping }) => ({
      ...(fromAws(mapping) as object),
      ...(Ebs === undefined
        ? {}
        : {
            ebs: {
              ...(fromAws(Ebs) as object),
              encrypted: toFlag(Ebs.Encrypted),
              deleteOnTermination: toFlag(Ebs.DeleteOnTermination),
            },
          }),
    })),
    networkInterfaces: data.NetworkInterfaces?.map(({ Groups, ...one }) => ({
      ...(fromAws(one) as object),
      securityGroups: Groups,
      associatePublicIpAddress: toFlag(one.AssociatePublicIpAddress),
      deleteOnTermination: toFlag(one.DeleteOnTermination),
    })),
    // moto keeps the template's own tags there too; AWS takes none of that kind.
    tagSpecifications: data.TagSpecifications?.filter(
      ({ ResourceType }) => ResourceType !== "launch-template",
    ).map(({ ResourceType, Tags }) => ({
      resourceType: ResourceType,
      tags: tagMap(Tags),
    })),
  };
}
