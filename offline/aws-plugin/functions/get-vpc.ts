import type { Vpc } from "@aws-sdk/client-ec2";
import { OfflineError } from "../../offline-error.ts";
import { defined } from "../engine/defined.ts";
import { functionType } from "../engine/function-type.ts";
import { boolean, map, string } from "../engine/schema.ts";
import { vpc } from "../types/ec2/vpc.ts";
import { tagMap } from "../engine/tags.ts";
import type { Properties } from "../engine/wire.ts";
import { ec2Filters, filters } from "./filters.ts";

/** What a plain VPC has where EC2 says nothing. */
const unset: Properties = {
  cidrBlockAssociations: [],
  default: false,
  enableNetworkAddressUsageMetrics: false,
  instanceTenancy: "default",
  ipv6AssociationId: "",
  ipv6CidrBlock: "",
  ipv6CidrBlockAssociations: [],
  mainRouteTableId: "",
};

/** What a read of the resource says too. */
const shared = [
  "arn",
  "cidrBlock",
  "dhcpOptionsId",
  "enableDnsHostnames",
  "enableDnsSupport",
  "instanceTenancy",
  "mainRouteTableId",
  "ownerId",
];

function valuesOf(found: Vpc): Properties {
  const [ipv6] = found.Ipv6CidrBlockAssociationSet ?? [];
  return {
    id: found.VpcId,
    cidrBlockAssociations: found.CidrBlockAssociationSet?.map((one) => ({
      associationId: one.AssociationId,
      cidrBlock: one.CidrBlock,
      state: one.CidrBlockState?.State,
    })),
    default: found.IsDefault,
    ipv6AssociationId: ipv6?.AssociationId,
    ipv6CidrBlock: ipv6?.Ipv6CidrBlock,
    state: found.State,
    tags: tagMap(found.Tags),
  };
}

/** The name of EC2's filter for each input, and its value. */
function single(given: {
  readonly cidrBlock?: string | undefined;
  readonly default?: boolean | undefined;
  readonly dhcpOptionsId?: string | undefined;
  readonly state?: string | undefined;
}) {
  return {
    cidr: given.cidrBlock,
    "is-default": given.default === undefined ? undefined : String(given.default),
    "dhcp-options-id": given.dhcpOptionsId,
    state: given.state,
  };
}

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
      ...ec2Filters(given.filters, given.tags, single(given)),
    });
    const [found] = Vpcs;
    if (found === undefined || Vpcs.length > 1) {
      throw new OfflineError(`getVpc found ${Vpcs.length} VPCs; it wants exactly one.`);
    }
    const read = (await vpc.read(context, found.VpcId ?? "", {})) ?? {};
    const values = Object.fromEntries(shared.map((key) => [key, read[key]]));
    return { ...unset, ...defined({ ...values, ...valuesOf(found) }) };
  },
});
