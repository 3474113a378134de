import type { Subnet } from "@aws-sdk/client-ec2";
import { OfflineError } from "../../offline-error.ts";
import { defined } from "../engine/defined.ts";
import { functionType } from "../engine/function-type.ts";
import { boolean, map, string } from "../engine/schema.ts";
import { tagMap } from "../engine/tags.ts";
import type { Properties } from "../engine/wire.ts";
import { ec2Arn } from "../types/ec2/ec2-tags.ts";
import { ec2Filters, filters } from "./filters.ts";

/** Ids of subnets. */
export const getSubnets = functionType({
  token: "aws:ec2/getSubnets:getSubnets",
  inputs: { filters, tags: map() },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const { Subnets = [] } = await ec2.describeSubnets(ec2Filters(given.filters, given.tags));
    const ids = Subnets.map(({ SubnetId }) => SubnetId ?? "");
    return { id: context.region, ids, tags: given.tags ?? {} };
  },
});

/** What a plain subnet has where EC2 says nothing. */
const unset: Properties = {
  assignIpv6AddressOnCreation: false,
  availableIpAddressCount: 0,
  customerOwnedIpv4Pool: "",
  defaultForAz: false,
  enableDns64: false,
  enableLniAtDeviceIndex: 0,
  enableResourceNameDnsARecordOnLaunch: false,
  enableResourceNameDnsAaaaRecordOnLaunch: false,
  ipv6CidrBlock: "",
  ipv6CidrBlockAssociationId: "",
  ipv6Native: false,
  mapCustomerOwnedIpOnLaunch: false,
  mapPublicIpOnLaunch: false,
  outpostArn: "",
  privateDnsHostnameTypeOnLaunch: "ip-name",
};

function valuesOf(found: Subnet): Properties {
  const [ipv6] = found.Ipv6CidrBlockAssociationSet ?? [];
  return {
    id: found.SubnetId,
    arn: found.SubnetArn,
    assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation,
    availabilityZone: found.AvailabilityZone,
    availabilityZoneId: found.AvailabilityZoneId,
    availableIpAddressCount: found.AvailableIpAddressCount,
    cidrBlock: found.CidrBlock,
    defaultForAz: found.DefaultForAz,
    ipv6CidrBlock: ipv6?.Ipv6CidrBlock,
    ipv6CidrBlockAssociationId: ipv6?.AssociationId,
    ipv6Native: found.Ipv6Native,
    mapPublicIpOnLaunch: found.MapPublicIpOnLaunch,
    outpostArn: found.OutpostArn,
    ownerId: found.OwnerId,
    state: found.State,
    tags: tagMap(found.Tags),
    vpcId: found.VpcId,
  };
}

/** One subnet. */
export const getSubnet = functionType({
  token: "aws:ec2/getSubnet:getSubnet",
  inputs: {
    id: string(),
    availabilityZone: string(),
    availabilityZoneId: string(),
    cidrBlock: string(),
    defaultForAz: boolean(),
    state: string(),
    vpcId: string(),
    filters,
    tags: map(),
  },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const { Subnets = [] } = await ec2.describeSubnets({
      ...(given.id === undefined ? {} : { SubnetIds: [given.id] }),
      ...ec2Filters(given.filters, given.tags, {
        "availability-zone": given.availabilityZone,
        "availability-zone-id": given.availabilityZoneId,
        "cidr-block": given.cidrBlock,
        "default-for-az": given.defaultForAz === undefined ? undefined : String(given.defaultForAz),
        state: given.state,
        "vpc-id": given.vpcId,
      }),
    });
    const [found] = Subnets;
    if (found === undefined || Subnets.length > 1) {
      throw new OfflineError(`getSubnet found ${Subnets.length} subnets; it wants exactly one.`);
    }
    const arn = await ec2Arn(context, `subnet/${found.SubnetId ?? ""}`);
    return { ...unset, arn, ...defined(valuesOf(found)) };
  },
});
