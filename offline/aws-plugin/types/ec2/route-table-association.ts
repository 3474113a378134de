import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import type { Properties } from "../../engine/wire.ts";
import { text } from "../text.ts";

/** By its id, or by what it joins: an import names both ends (subnet-1/rtb-1), and another table gives another id. */
async function find(context: Context, id: string, state: Properties) {
  const ec2 = await context.clients.ec2();
  const [end = ""] = id.split("/");
  const ends = new Set([state["subnetId"], state["gatewayId"], end].map(text));
  ends.delete(undefined);
  const { RouteTables = [] } = await ec2.describeRouteTables({});
  const all = RouteTables.flatMap(({ Associations = [] }) => Associations);
  return (
    all.find((one) => one.RouteTableAssociationId === id) ??
    all.find((one) => ends.has(one.SubnetId) || ends.has(one.GatewayId))
  );
}

/** Which table a subnet's (or a gateway's) traffic follows. */
export const routeTableAssociation = resourceType({
  token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  inputs: {
    routeTableId: string({ required: true }),
    subnetId: string({ replace: true }),
    gatewayId: string({ replace: true }),
  },
  outputs: [],
  check: ({ subnetId, gatewayId }) =>
    (subnetId === undefined) === (gatewayId === undefined)
      ? { subnetId: "give either subnetId or gatewayId" }
      : {},
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { AssociationId } = await ec2.associateRouteTable({
      RouteTableId: inputs.routeTableId,
      SubnetId: inputs.subnetId,
      GatewayId: inputs.gatewayId,
    });
    return { id: AssociationId ?? "" };
  },
  read: async (context, id, state) => {
    const found = await find(context, id, state);
    if (found === undefined) return undefined;
    return {
      id: text(state["id"]) ?? found.RouteTableAssociationId,
      routeTableId: found.RouteTableId,
      subnetId: found.SubnetId,
      gatewayId: found.GatewayId,
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    if (!changed.has("routeTableId")) return;
    const ec2 = await context.clients.ec2();
    const found = await find(context, id, olds);
    await ec2.replaceRouteTableAssociation({
      AssociationId: found?.RouteTableAssociationId,
      RouteTableId: news.routeTableId,
    });
  },
  delete: async (context, id, state) => {
    const ec2 = await context.clients.ec2();
    const AssociationId = (await find(context, id, state))?.RouteTableAssociationId;
    if (AssociationId !== undefined)
      await unlessGone(ec2.disassociateRouteTable({ AssociationId }));
  },
});
