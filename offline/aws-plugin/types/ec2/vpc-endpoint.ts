import type { VpcEndpointType } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { boolean, json, set, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { waitUntil } from "../../engine/waiting.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";

async function find(context: Context, id: string) {
  const ec2 = await context.clients.ec2();
  const answer = await unlessGone(ec2.describeVpcEndpoints({ VpcEndpointIds: [id] }));
  const found = answer?.VpcEndpoints?.find(({ VpcEndpointId }) => VpcEndpointId === id);
  return (found?.State ?? "").toLowerCase() === "deleted" ? undefined : found;
}

/** What one list has more than another. */
function more(some: unknown, others: unknown): string[] | undefined {
  const known = new Set<unknown>(Array.isArray(others) ? others : []);
  const extra = (Array.isArray(some) ? (some as string[]) : []).filter((one) => !known.has(one));
  return extra.length > 0 ? extra : undefined;
}

async function prefixList(context: Context, serviceName: string): Promise<string> {
  const ec2 = await context.clients.ec2();
  const Filters = [{ Name: "prefix-list-name", Values: [serviceName] }];
  const { PrefixLists = [] } = await ec2.describePrefixLists({ Filters });
  const found = PrefixLists.find(({ PrefixListName }) => PrefixListName === serviceName);
  return found?.PrefixListId ?? "";
}

/** A VPC's private way to a service: `Gateway` (S3, DynamoDB) over route tables, `Interface` over subnets. */
export const vpcEndpoint = resourceType({
  token: "aws:ec2/vpcEndpoint:VpcEndpoint",
  inputs: {
    vpcId: string({ required: true, replace: true }),
    serviceName: string({ required: true, replace: true }),
    vpcEndpointType: string({
      default: "Gateway",
      oneOf: ["Gateway", "Interface"],
      replace: true,
    }),
    routeTableIds: set(string(), { computed: true }),
    subnetIds: set(string(), { computed: true }),
    securityGroupIds: set(string(), { computed: true }),
    privateDnsEnabled: boolean({ computed: true }),
    policy: json({ computed: true }),
  },
  outputs: [
    "arn",
    "cidrBlocks",
    "dnsEntries",
    "networkInterfaceIds",
    "ownerId",
    "prefixListId",
    "requesterManaged",
    "state",
  ],
  tag: tagEc2,
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { VpcEndpoint } = await ec2.createVpcEndpoint({
      VpcId: inputs.vpcId,
      ServiceName: inputs.serviceName,
      VpcEndpointType: inputs.vpcEndpointType as VpcEndpointType,
      RouteTableIds: inputs.routeTableIds,
      SubnetIds: inputs.subnetIds,
      SecurityGroupIds: inputs.securityGroupIds,
      PrivateDnsEnabled: inputs.privateDnsEnabled,
      PolicyDocument: inputs.policy,
      ...tagSpecification("vpc-endpoint", inputs.tagsAll),
    });
    const id = VpcEndpoint?.VpcEndpointId ?? "";
    const finish = async (): Promise<void> => {
      await waitUntil(context, `the endpoint ${id} is available`, 600, async () => {
        const found = await find(context, id);
        return found?.State?.toLowerCase() === "available" ? true : undefined;
      });
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const found = await find(context, id);
    if (found === undefined) return undefined;
    const serviceName = found.ServiceName ?? "";
    const gateway = found.VpcEndpointType === "Gateway";
    const entries = found.DnsEntries ?? [];
    return {
      arn: await ec2Arn(context, `vpc-endpoint/${id}`),
      vpcId: found.VpcId,
      serviceName,
      vpcEndpointType: found.VpcEndpointType,
      routeTableIds: found.RouteTableIds ?? [],
      subnetIds: found.SubnetIds ?? [],
      securityGroupIds: (found.Groups ?? []).map(({ GroupId }) => GroupId ?? ""),
      privateDnsEnabled: found.PrivateDnsEnabled ?? false,
      ...(found.PolicyDocument === undefined ? {} : { policy: found.PolicyDocument }),
      networkInterfaceIds: found.NetworkInterfaceIds ?? [],
      dnsEntries: entries.map((one) => ({ dnsName: one.DnsName, hostedZoneId: one.HostedZoneId })),
      cidrBlocks: [],
      prefixListId: gateway ? await prefixList(context, serviceName) : "",
      ownerId: found.OwnerId ?? (await context.clients.account()),
      requesterManaged: found.RequesterManaged ?? false,
      state: found.State,
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    const lists = ["routeTableIds", "subnetIds", "securityGroupIds"] as const;
    if (![...lists, "privateDnsEnabled", "policy"].some((key) => changed.has(key))) return;
    const ec2 = await context.clients.ec2();
    const given = lists.filter((key) => news[key] !== undefined);
    const add = Object.fromEntries(given.map((key) => [key, more(news[key], olds[key])]));
    const remove = Object.fromEntries(given.map((key) => [key, more(olds[key], news[key])]));
    await ec2.modifyVpcEndpoint({
      VpcEndpointId: id,
      AddRouteTableIds: add["routeTableIds"],
      RemoveRouteTableIds: remove["routeTableIds"],
      AddSubnetIds: add["subnetIds"],
      RemoveSubnetIds: remove["subnetIds"],
      AddSecurityGroupIds: add["securityGroupIds"],
      RemoveSecurityGroupIds: remove["securityGroupIds"],
      ...(changed.has("privateDnsEnabled") ? { PrivateDnsEnabled: news.privateDnsEnabled } : {}),
      ...(changed.has("policy") ? { PolicyDocument: news.policy } : {}),
    });
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const answer = await unlessGone(ec2.deleteVpcEndpoints({ VpcEndpointIds: [id] }));
    const error = answer?.Unsuccessful?.[0]?.Error;
    if (error !== undefined && !(error.Code ?? "").includes("NotFound")) {
      throw new Error(`${error.Code ?? "DeleteVpcEndpoints"}: ${error.Message ?? "failed"}`);
    }
    await waitUntil(context, `the endpoint ${id} is gone`, 600, async () =>
      (await find(context, id)) === undefined ? true : undefined,
    );
  },
});
