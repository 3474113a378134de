import type { EC2 } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { ec2Arn, isInUse, tagEc2, tagSpecification } from "./ec2-tags.ts";

async function attributes(ec2: EC2, id: string) {
  const ask = (Attribute: "enableDnsSupport" | "enableDnsHostnames") =>
    ec2.describeVpcAttribute({ VpcId: id, Attribute });
  const [support, hostnames] = await Promise.all([
    ask("enableDnsSupport"),
    ask("enableDnsHostnames"),
  ]);
  return {
    enableDnsSupport: support.EnableDnsSupport?.Value ?? false,
    enableDnsHostnames: hostnames.EnableDnsHostnames?.Value ?? false,
  };
}

/** What AWS makes along with a VPC. */
async function companions(ec2: EC2, id: string) {
  const ofVpc = { Name: "vpc-id", Values: [id] };
  const also = (Name: string, value: string) => ({ Filters: [ofVpc, { Name, Values: [value] }] });
  const [tables, groups, acls] = await Promise.all([
    ec2.describeRouteTables(also("association.main", "true")),
    ec2.describeSecurityGroups(also("group-name", "default")),
    ec2.describeNetworkAcls(also("default", "true")),
  ]);
  const routeTable = tables.RouteTables?.[0]?.RouteTableId;
  return {
    mainRouteTableId: routeTable,
    defaultRouteTableId: routeTable,
    defaultSecurityGroupId: groups.SecurityGroups?.[0]?.GroupId,
    defaultNetworkAclId: acls.NetworkAcls?.[0]?.NetworkAclId,
  };
}

/** One attribute a call: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html */
async function setDns(ec2: EC2, id: string, support?: boolean, hostnames?: boolean): Promise<void> {
  if (support !== undefined) {
    await ec2.modifyVpcAttribute({ VpcId: id, EnableDnsSupport: { Value: support } });
  }
  if (hostnames !== undefined) {
    await ec2.modifyVpcAttribute({ VpcId: id, EnableDnsHostnames: { Value: hostnames } });
  }
}

/** A virtual private cloud with an IPv4 block of its own. */
export const vpc = resourceType({
  token: "aws:ec2/vpc:Vpc",
  inputs: {
    cidrBlock: string({ required: true, replace: true }),
    enableDnsHostnames: boolean({ computed: true }),
    enableDnsSupport: boolean({ default: true }),
    instanceTenancy: string({ default: "default", oneOf: ["default", "dedicated"], replace: true }),
  },
  outputs: [
    "arn",
    "defaultNetworkAclId",
    "defaultRouteTableId",
    "defaultSecurityGroupId",
    "dhcpOptionsId",
    "mainRouteTableId",
    "ownerId",
  ],
  tag: tagEc2,
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { cidrBlock, instanceTenancy, tagsAll } = inputs;
    const { Vpc } = await ec2.createVpc({
      CidrBlock: cidrBlock,
      InstanceTenancy: instanceTenancy as "default",
      ...tagSpecification("vpc", tagsAll),
    });
    const id = Vpc?.VpcId ?? "";
    const support = inputs.enableDnsSupport === false ? false : undefined;
    return { id, finish: () => setDns(ec2, id, support, inputs.enableDnsHostnames) };
  },
  read: async (context, id) => {
    const ec2 = await context.clients.ec2();
    const found = (await unlessGone(ec2.describeVpcs({ VpcIds: [id] })))?.Vpcs?.[0];
    if (found === undefined) return undefined;
    return {
      arn: await ec2Arn(context, `vpc/${id}`),
      cidrBlock: found.CidrBlock,
      dhcpOptionsId: found.DhcpOptionsId,
      instanceTenancy: found.InstanceTenancy ?? "default",
      ownerId: found.OwnerId ?? (await context.clients.account()),
      tagsAll: tagMap(found.Tags),
      ...(await attributes(ec2, id)),
      ...(await companions(ec2, id)),
    };
  },
  update: async (context, id, { news, changed }) => {
    await setDns(
      await context.clients.ec2(),
      id,
      changed.has("enableDnsSupport") ? news.enableDnsSupport : undefined,
      changed.has("enableDnsHostnames") ? news.enableDnsHostnames : undefined,
    );
  },
  delete: async (context, id) => {
    const ec2 = await context.clients.ec2();
    await retryWhile(context, 300, isInUse, () => unlessGone(ec2.deleteVpc({ VpcId: id })));
  },
});
