import { crc32 } from "node:zlib";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import type { Properties } from "../../engine/wire.ts";
import { text } from "../text.ts";

/** Where a route leads to: exactly one is given. */
const targets = {
  gatewayId: string(),
  natGatewayId: string(),
  networkInterfaceId: string({ computed: true }),
  egressOnlyGatewayId: string(),
  transitGatewayId: string(),
  vpcEndpointId: string(),
  vpcPeeringConnectionId: string(),
};

const destinations = [
  "destinationCidrBlock",
  "destinationIpv6CidrBlock",
  "destinationPrefixListId",
] as const;

function destinationOf(inputs: Properties) {
  return {
    DestinationCidrBlock: text(inputs["destinationCidrBlock"]),
    DestinationIpv6CidrBlock: text(inputs["destinationIpv6CidrBlock"]),
    DestinationPrefixListId: text(inputs["destinationPrefixListId"]),
  };
}

function request(inputs: Properties) {
  return {
    RouteTableId: text(inputs["routeTableId"]),
    ...destinationOf(inputs),
    GatewayId: text(inputs["gatewayId"]),
    NatGatewayId: text(inputs["natGatewayId"]),
    NetworkInterfaceId: text(inputs["networkInterfaceId"]),
    EgressOnlyInternetGatewayId: text(inputs["egressOnlyGatewayId"]),
    TransitGatewayId: text(inputs["transitGatewayId"]),
    VpcEndpointId: text(inputs["vpcEndpointId"]),
    VpcPeeringConnectionId: text(inputs["vpcPeeringConnectionId"]),
  };
}

function destinationText(inputs: Properties): string {
  return destinations.map((key) => text(inputs[key])).find((value) => value !== undefined) ?? "";
}

/** The id that the real provider gives: `r-`, the table, and a checksum of the destination. */
function routeId(table: string, destination: string): string {
  return `r-${table}${crc32(destination)}`;
}

async function find(context: Context, table: string, destination: string) {
  const ec2 = await context.clients.ec2();
  const answer = await unlessGone(ec2.describeRouteTables({ RouteTableIds: [table] }));
  return answer?.RouteTables?.[0]?.Routes?.find((route) =>
    [
      route.DestinationCidrBlock,
      route.DestinationIpv6CidrBlock,
      route.DestinationPrefixListId,
    ].includes(destination),
  );
}

/** One route of a table. */
export const route = resourceType({
  token: "aws:ec2/route:Route",
  inputs: {
    routeTableId: string({ required: true, replace: true }),
    destinationCidrBlock: string({ replace: true }),
    destinationIpv6CidrBlock: string({ replace: true }),
    destinationPrefixListId: string({ replace: true }),
    ...targets,
  },
  outputs: ["instanceId", "instanceOwnerId", "origin", "state"],
  volatile: ["instanceId", "instanceOwnerId", "origin", "state"],
  check: (inputs) => {
    const given = Object.keys(inputs);
    const oneOf = (keys: readonly string[]) =>
      keys.filter((key) => given.includes(key)).length === 1;
    const ways = Object.keys(targets);
    return {
      ...(oneOf(destinations)
        ? {}
        : { destinationCidrBlock: `give exactly one of ${destinations.join(", ")}` }),
      ...(oneOf(ways) ? {} : { gatewayId: `give exactly one of ${ways.join(", ")}` }),
    };
  },
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    await ec2.createRoute(request(inputs));
    return { id: routeId(inputs.routeTableId ?? "", destinationText(inputs)) };
  },
  // An import names table and destination: rtb-1_0.0.0.0/0.
  read: async (context, id, state) => {
    const [importedTable = "", imported = ""] = id.split("_");
    const table = text(state["routeTableId"]) ?? importedTable;
    const wanted = destinationText(state) || imported;
    const found = await find(context, table, wanted);
    if (found === undefined) return undefined;
    return {
      id: routeId(table, wanted),
      routeTableId: table,
      destinationCidrBlock: found.DestinationCidrBlock,
      destinationIpv6CidrBlock: found.DestinationIpv6CidrBlock,
      destinationPrefixListId: found.DestinationPrefixListId,
      gatewayId: found.GatewayId,
      natGatewayId: found.NatGatewayId,
      networkInterfaceId: found.NetworkInterfaceId ?? "",
      egressOnlyGatewayId: found.EgressOnlyInternetGatewayId,
      transitGatewayId: found.TransitGatewayId,
      vpcPeeringConnectionId: found.VpcPeeringConnectionId,
      instanceId: found.InstanceId ?? "",
      instanceOwnerId: found.InstanceOwnerId ?? "",
      origin: found.Origin ?? "CreateRoute",
      state: found.State ?? "active",
    };
  },
  update: async (context, _id, { news, changed }) => {
    if (![...changed].some((key) => key in targets)) return;
    const ec2 = await context.clients.ec2();
    await ec2.replaceRoute(request(news));
  },
  delete: async (context, _id, state) => {
    const ec2 = await context.clients.ec2();
    const RouteTableId = text(state["routeTableId"]);
    await unlessGone(ec2.deleteRoute({ RouteTableId, ...destinationOf(state) }));
  },
});
