import { OfflineError } from "../../offline-error.ts";
import { functionType } from "../engine/function-type.ts";
import { boolean, map, string } from "../engine/schema.ts";
import { vpc } from "../types/ec2/vpc.ts";
import { tagMap } from "../engine/tags.ts";
import { ec2Filters, filters } from "./filters.ts";

/** One VPC. */
export const getVpc = functionType({
  token: "aws:ec2/getVpc:getVpc",
  inputs: {
    id: string(),
    cidrBlock: string(),
    default: boolean(),
    dhcpOptionsId: string(),
    state: string(),
    filters,
    tags: map(),
  },
  invoke: async (context, given) => {
    const ec2 = await context.clients.ec2();
    const { Vpcs = [] } = await ec2.describeVpcs({
      ...(given.id === undefined ? {} : { VpcIds: [given.id] }),
      ...ec2Filters(given.filters, given.tags, {
        cidr: given.cidrBlock,
        "is-default": given.default === undefined ? undefined : String(given.default),
        "dhcp-options-id": given.dhcpOptionsId,
        state: given.state,
      }),
    });
    const [found] = Vpcs;
    if (found === undefined || Vpcs.length > 1) {
      throw new OfflineError(`getVpc found ${Vpcs.length} VPCs; it wants exactly one.`);
    }
    const id = found.VpcId ?? "";
    const values = (await vpc.read(context, id, {})) ?? {};
    const [ipv6] = found.Ipv6CidrBlockAssociationSet ?? [];
    return {
      id,
      arn: values["arn"],
      cidrBlock: found.CidrBlock ?? "",
      cidrBlockAssociations: (found.CidrBlockAssociationSet ?? []).map((one) => ({
        associationId: one.AssociationId ?? "",
        cidrBlock: one.CidrBlock ?? "",
        state: one.CidrBlockState?.State ?? "",
      })),
      default: found.IsDefault ?? false,
      dhcpOptionsId: found.DhcpOptionsId ?? "",
      enableDnsHostnames: values["enableDnsHostnames"],
      enableDnsSupport: values["enableDnsSupport"],
      enableNetworkAddressUsageMetrics: false,
      instanceTenancy: found.InstanceTenancy ?? "default",
      ipv6AssociationId: ipv6?.AssociationId ?? "",
      ipv6CidrBlock: ipv6?.Ipv6CidrBlock ?? "",
      ipv6CidrBlockAssociations: [],
      mainRouteTableId: values["mainRouteTableId"] ?? "",
      ownerId: values["ownerId"],
      state: found.State ?? "",
      tags: tagMap(found.Tags),
    };
  },
});
