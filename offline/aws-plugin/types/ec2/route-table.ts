import type { EC2, Route } from "@aws-sdk/client-ec2";
import { sameValue } from "../../engine/compare.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { object, set, string, type ValuesOf } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { ec2Arn, isInUse, tagEc2, tagSpecification } from "./ec2-tags.ts";

const routeFields = {
  cidrBlock: string(),
  ipv6CidrBlock: string(),
  destinationPrefixListId: string(),
  gatewayId: string(),
  natGatewayId: string(),
  networkInterfaceId: string(),
  egressOnlyGatewayId: string(),
  transitGatewayId: string(),
  vpcPeeringConnectionId: string(),
};
const route = object(routeFields);
type InlineRoute = ValuesOf<typeof routeFields>;

function fromRoute(found: Route): InlineRoute {
  return {
    cidrBlock: found.DestinationCidrBlock,
    ipv6CidrBlock: found.DestinationIpv6CidrBlock,
    destinationPrefixListId: found.DestinationPrefixListId,
    gatewayId: found.GatewayId,
    natGatewayId: found.NatGatewayId,
    networkInterfaceId: found.NetworkInterfaceId,
    egressOnlyGatewayId: found.EgressOnlyInternetGatewayId,
    transitGatewayId: found.TransitGatewayId,
    vpcPeeringConnectionId: found.VpcPeeringConnectionId,
  };
}

function destination(given: InlineRoute) {
  return {
    DestinationCidrBlock: given.cidrBlock,
    DestinationIpv6CidrBlock: given.ipv6CidrBlock,
    DestinationPrefixListId: given.destinationPrefixListId,
  };
}

async function addRoute(ec2: EC2, id: string, given: InlineRoute): Promise<void> {
  await ec2.createRoute({
    RouteTableId: id,
    ...destination(given),
    GatewayId: given.gatewayId,
    NatGatewayId: given.natGatewayId,
    NetworkInterfaceId: given.networkInterfaceId,
    EgressOnlyInternetGatewayId: given.egressOnlyGatewayId,
    TransitGatewayId: given.transitGatewayId,
    VpcPeeringConnectionId: given.vpcPeeringConnectionId,
  });
}

/** A table of routes; those of a gateway endpoint and the local one are not its own. */
export const routeTable = resourceType({
  token: "aws:ec2/routeTable:RouteTable",
  inputs: {
    vpcId: string({ required: true, replace: true }),
    routes: set(route, { computed: true }),
  },
  outputs: ["arn", "ownerId"],
  tag: tagEc2,
  create: async (context, { vpcId, routes = [], tagsAll }) => {
    const ec2 = await context.clients.ec2();
    const { RouteTable } = await ec2.createRouteTable({
      VpcId: vpcId,
      ...tagSpecification("route-table", tagsAll),
    });
    const id = RouteTable?.RouteTableId ?? "";
    const finish = async (): Promise<void> => {
      for (const given of routes) await addRoute(ec2, id, given);
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const answer = await unlessGone(ec2.describeRouteTables({ RouteTableIds: [id] }));
    const found = answer?.RouteTables?.[0];
    if (found === undefined) return undefined;
    const own = (found.Routes ?? []).filter(
      ({ GatewayId = "" }) => GatewayId !== "local" && !GatewayId.startsWith("vpce-"),
    );
    return {
      arn: await ec2Arn(context, `route-table/${id}`),
      ownerId: found.OwnerId ?? (await context.clients.account()),
      vpcId: found.VpcId,
      routes: own.map(fromRoute),
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    if (!changed.has("routes") || news.routes === undefined) return;
    const ec2 = await context.clients.ec2();
    const before = (olds["routes"] ?? []) as InlineRoute[];
    const now = news.routes;
    for (const old of before) {
      if (now.some((given) => sameValue(route, old, given))) continue;
      await unlessGone(ec2.deleteRoute({ RouteTableId: id, ...destination(old) }));
    }
    for (const given of now) {
      if (!before.some((old) => sameValue(route, old, given))) await addRoute(ec2, id, given);
    }
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    await retryWhile(context, 300, isInUse, () =>
      unlessGone(ec2.deleteRouteTable({ RouteTableId: id })),
    );
  },
});
