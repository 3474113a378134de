import type { Instance } from "@aws-sdk/client-ec2";
import { OfflineError } from "../../offline-error.ts";
import { defined } from "../engine/defined.ts";
import { functionType } from "../engine/function-type.ts";
import type { Context } from "../engine/resource-type.ts";
import { boolean, map, string } from "../engine/schema.ts";
import { tagMap } from "../engine/tags.ts";
import type { Properties } from "../engine/wire.ts";
import { ec2Arn } from "../types/ec2/ec2-tags.ts";
import { findInstances } from "../types/ec2/instances.ts";
import { ec2Filters, filters } from "./filters.ts";

function addresses(found: Instance): Properties {
  const [first] = found.NetworkInterfaces ?? [];
  return {
    associatePublicIpAddress: (found.PublicIpAddress ?? "") !== "",
    ipv6Addresses: (first?.Ipv6Addresses ?? []).map(({ Ipv6Address }) => Ipv6Address ?? ""),
    networkInterfaceId: first?.NetworkInterfaceId ?? "",
    privateDns: found.PrivateDnsName ?? "",
    privateIp: found.PrivateIpAddress ?? "",
    publicDns: found.PublicDnsName ?? "",
    publicIp: found.PublicIpAddress ?? "",
    secondaryPrivateIps: [],
    sourceDestCheck: found.SourceDestCheck ?? true,
    subnetId: found.SubnetId ?? "",
    securityGroups: (found.SecurityGroups ?? []).map(({ GroupName }) => GroupName ?? ""),
    vpcSecurityGroupIds: (found.SecurityGroups ?? []).map(({ GroupId }) => GroupId ?? ""),
  };
}

/** The metadata service of an instance that says nothing of it. */
const metadataUnset = {
  httpEndpoint: "enabled",
  httpTokens: "optional",
  httpPutResponseHopLimit: 1,
  httpProtocolIpv6: "disabled",
  instanceMetadataTags: "disabled",
};

function hardware(found: Instance): Properties {
  const { MetadataOptions: options } = found;
  const said = defined({
    httpEndpoint: options?.HttpEndpoint,
    httpTokens: options?.HttpTokens,
    httpPutResponseHopLimit: options?.HttpPutResponseHopLimit,
    httpProtocolIpv6: options?.HttpProtocolIpv6,
    instanceMetadataTags: options?.InstanceMetadataTags,
  });
  return {
    ami: found.ImageId ?? "",
    instanceType: found.InstanceType ?? "",
    ebsOptimized: found.EbsOptimized ?? false,
    iamInstanceProfile: (found.IamInstanceProfile?.Arn ?? "").split("/").at(-1) ?? "",
    keyName: found.KeyName ?? "",
    monitoring: found.Monitoring?.State === "enabled",
    metadataOptions: [{ ...metadataUnset, ...said }],
  };
}

/** Parts of an instance that none of the components looks at, as the real provider has them of an ordinary one. */
const plain: Properties = {
  creditSpecifications: [],
  disableApiStop: false,
  disableApiTermination: false,
  ebsBlockDevices: [],
  enclaveOptions: [],
  ephemeralBlockDevices: [],
  hostId: "",
  hostResourceGroupArn: "",
  maintenanceOptions: [],
  outpostArn: "",
  passwordData: "",
  placementGroupId: "",
  placementPartitionNumber: 0,
  privateDnsNameOptions: [],
  rootBlockDevices: [],
};

async function valuesOf(context: Context, found: Instance): Promise<Properties> {
  const id = found.InstanceId ?? "";
  return {
    ...plain,
    ...addresses(found),
    ...hardware(found),
    id,
    arn: await ec2Arn(context, `instance/${id}`),
    availabilityZone: found.Placement?.AvailabilityZone ?? "",
    placementGroup: found.Placement?.GroupName ?? "",
    tenancy: found.Placement?.Tenancy ?? "default",
    instanceState: found.State?.Name ?? "",
    launchTime: found.LaunchTime?.toISOString() ?? "",
    tags: tagMap(found.Tags),
  };
}

/** One instance that is there; a terminated one is not found, as in the real provider. */
export const getInstance = functionType({
  token: "aws:ec2/getInstance:getInstance",
  inputs: {
    instanceId: string(),
    filters,
    instanceTags: map(),
    getPasswordData: boolean(),
    getUserData: boolean(),
  },
  invoke: async (context, { instanceId, filters: given, instanceTags, getUserData }) => {
    const ec2 = await context.clients.ec2();
    const query = ec2Filters(given, instanceTags);
    if (instanceId === undefined && query.Filters === undefined) {
      throw new OfflineError("getInstance needs an instanceId, filters or instanceTags.");
    }
    const ids = instanceId === undefined ? {} : { InstanceIds: [instanceId] };
    const all = await findInstances(ec2, { ...ids, ...query });
    const [found, ...others] = all.filter(({ State }) => State?.Name !== "terminated");
    if (found === undefined || others.length > 0) {
      const which = instanceId ?? JSON.stringify(query.Filters);
      const problem = found === undefined ? "No instance" : `${others.length + 1} instances`;
      throw new OfflineError(`${problem} found for ${which}; getInstance wants exactly one.`);
    }
    const values = await valuesOf(context, found);
    if (getUserData !== true) return values;
    const attribute = { InstanceId: found.InstanceId, Attribute: "userData" } as const;
    const { UserData } = await ec2.describeInstanceAttribute(attribute);
    return { ...values, userDataBase64: UserData?.Value ?? "" };
  },
});
