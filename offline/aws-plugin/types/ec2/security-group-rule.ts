import type { SecurityGroupRule, SecurityGroupRuleRequest } from "@aws-sdk/client-ec2";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type InputsOf } from "../../engine/resource-type.ts";
import { number, string, type ValuesOf } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { ec2Arn, tagEc2, tagSpecification } from "./ec2-tags.ts";

const inputs = {
  securityGroupId: string({ required: true, replace: true }),
  ipProtocol: string({ required: true }),
  fromPort: number(),
  toPort: number(),
  cidrIpv4: string(),
  cidrIpv6: string(),
  prefixListId: string(),
  referencedSecurityGroupId: string(),
  description: string(),
};
type Inputs = ValuesOf<typeof inputs>;

const sources = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"] as const;

function portsOf({ ipProtocol, fromPort, toPort }: Inputs) {
  return ipProtocol === "-1" ? {} : { FromPort: fromPort, ToPort: toPort };
}

function permission(given: Inputs) {
  const { description: Description, cidrIpv4, cidrIpv6, prefixListId } = given;
  const group = given.referencedSecurityGroupId;
  return {
    IpProtocol: given.ipProtocol,
    ...portsOf(given),
    ...(cidrIpv4 === undefined ? {} : { IpRanges: [{ CidrIp: cidrIpv4, Description }] }),
    ...(cidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6: cidrIpv6, Description }] }),
    ...(prefixListId === undefined
      ? {}
      : { PrefixListIds: [{ PrefixListId: prefixListId, Description }] }),
    ...(group === undefined ? {} : { UserIdGroupPairs: [{ GroupId: group, Description }] }),
  };
}

function valuesOf(found: SecurityGroupRule): InputsOf<typeof inputs> {
  const all = found.IpProtocol === "-1";
  return {
    securityGroupId: found.GroupId,
    ipProtocol: found.IpProtocol,
    fromPort: all ? undefined : found.FromPort,
    toPort: all ? undefined : found.ToPort,
    cidrIpv4: found.CidrIpv4,
    cidrIpv6: found.CidrIpv6,
    prefixListId: found.PrefixListId,
    referencedSecurityGroupId: found.ReferencedGroupInfo?.GroupId,
    description: found.Description,
    tagsAll: tagMap(found.Tags),
  };
}

function requestOf(news: Inputs): SecurityGroupRuleRequest {
  return {
    IpProtocol: news.ipProtocol,
    ...portsOf(news),
    CidrIpv4: news.cidrIpv4,
    CidrIpv6: news.cidrIpv6,
    PrefixListId: news.prefixListId,
    ReferencedGroupId: news.referencedSecurityGroupId,
    Description: news.description,
  };
}

/** One rule of a security group, for one way. */
function securityGroupRule(way: "Ingress" | "Egress") {
  return resourceType({
    token: `aws:vpc/securityGroup${way}Rule:SecurityGroup${way}Rule`,
    inputs,
    outputs: ["arn", "securityGroupRuleId"],
    tag: tagEc2,
    check: (given) =>
      sources.filter((key) => given[key] !== undefined).length === 1
        ? {}
        : { cidrIpv4: `give exactly one of ${sources.join(", ")}` },
    create: async (context, given) => {
      const ec2 = await context.clients.ec2();
      const request = {
        GroupId: given.securityGroupId,
        IpPermissions: [permission(given)],
        ...tagSpecification("security-group-rule", given.tagsAll),
      };
      const made =
        way === "Ingress"
          ? await ec2.authorizeSecurityGroupIngress(request)
          : await ec2.authorizeSecurityGroupEgress(request);
      return { id: made.SecurityGroupRules?.[0]?.SecurityGroupRuleId ?? "" };
    },
    read: async (context, id) => {
      const ec2 = await context.clients.ec2();
      const request = { SecurityGroupRuleIds: [id] };
      const answer = await unlessGone(ec2.describeSecurityGroupRules(request));
      const found = answer?.SecurityGroupRules?.find((one) => one.SecurityGroupRuleId === id);
      if (found?.IsEgress !== (way === "Egress")) return undefined;
      return {
        arn: found.SecurityGroupRuleArn ?? (await ec2Arn(context, `security-group-rule/${id}`)),
        securityGroupRuleId: id,
        ...valuesOf(found),
      };
    },
    update: async (context, id, { news, changed }) => {
      if (!Object.keys(inputs).some((key) => changed.has(key))) return;
      const ec2 = await context.clients.ec2();
      await ec2.modifySecurityGroupRules({
        GroupId: news.securityGroupId,
        SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule: requestOf(news) }],
      });
    },
    delete: async (context, id, state) => {
      const ec2 = await context.clients.ec2();
      const request = { GroupId: String(state["securityGroupId"]), SecurityGroupRuleIds: [id] };
      await unlessGone(
        way === "Ingress"
          ? ec2.revokeSecurityGroupIngress(request)
          : ec2.revokeSecurityGroupEgress(request),
      );
    },
  });
}

/** A rule that lets something in. */
export const securityGroupIngressRule = securityGroupRule("Ingress");
/** A rule that lets something out. */
export const securityGroupEgressRule = securityGroupRule("Egress");
