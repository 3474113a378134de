import { OfflineError } from "../../offline-error.ts";
import { functionType } from "../engine/function-type.ts";
import { boolean, map, string } from "../engine/schema.ts";
import { tagMap } from "../engine/tags.ts";
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
    const [ipv6] = found.Ipv6CidrBlockAssociationSet ?? [];
    return {
      id: found.SubnetId,
      arn: found.SubnetArn ?? (await ec2Arn(context, `subnet/${found.SubnetId ?? ""}`)),
      assignIpv6AddressOnCreation: found.AssignIpv6AddressOnCreation ?? false,
      availabilityZone: found.AvailabilityZone ?? "",
      availabilityZoneId: found.AvailabilityZoneId ?? "",
      availableIpAddressCount: found.AvailableIpAddressCount ?? 0,
      cidrBlock: found.CidrBlock ?? "",
      defaultForAz: found.DefaultForAz ?? false,
      ipv6CidrBlock: ipv6?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociationId: ipv6?.AssociationId ?? "",
      ipv6Native: found.Ipv6Native ?? false,
      mapPublicIpOnLaunch: found.MapPublicIpOnLaunch ?? false,
      outpostArn: found.OutpostArn ?? "",
      ownerId: found.OwnerId ?? "",
      state: found.State ?? "",
      tags: tagMap(found.Tags),
      vpcId: found.VpcId ?? "",
    };
  },
});
