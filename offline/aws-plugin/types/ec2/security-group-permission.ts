import type { IpPermission } from "@aws-sdk/client-ec2";
import { boolean, number, object, set, string, type ValuesOf } from "../../engine/schema.ts";

const ruleFields = {
  protocol: string({ required: true }),
  fromPort: number({ required: true }),
  toPort: number({ required: true }),
  description: string(),
  cidrBlocks: set(string()),
  ipv6CidrBlocks: set(string()),
  prefixListIds: set(string()),
  securityGroups: set(string()),
  self: boolean({ default: false }),
};

/** A rule written inside of its security group. */
export const rule = object(ruleFields);
/** See {@link rule}. */
export type Rule = ValuesOf<typeof ruleFields>;

/** A rule as EC2 takes it; `groupId` is what `self` means. */
export function permissionOf(given: Rule, groupId: string): IpPermission {
  const { description: Description, protocol = "-1" } = given;
  const any = protocol === "-1" || protocol === "all";
  const groups = [...(given.securityGroups ?? []), ...(given.self === true ? [groupId] : [])];
  const lists = given.prefixListIds ?? [];
  return {
    IpProtocol: any ? "-1" : protocol,
    ...(any ? {} : { FromPort: given.fromPort, ToPort: given.toPort }),
    IpRanges: (given.cidrBlocks ?? []).map((CidrIp) => ({ CidrIp, Description })),
    Ipv6Ranges: (given.ipv6CidrBlocks ?? []).map((CidrIpv6) => ({ CidrIpv6, Description })),
    PrefixListIds: lists.map((PrefixListId) => ({ PrefixListId, Description })),
    UserIdGroupPairs: groups.map((GroupId) => ({ GroupId, Description })),
  };
}

/** AWS keeps rules of the same ports together; the descriptions tell which were given together. */
export function rulesOf(permissions: readonly IpPermission[] | undefined, groupId: string): Rule[] {
  return (permissions ?? []).flatMap((found) => {
    const sources = [
      ...(found.IpRanges ?? []),
      ...(found.Ipv6Ranges ?? []),
      ...(found.PrefixListIds ?? []),
      ...(found.UserIdGroupPairs ?? []),
    ];
    const descriptions = new Set(sources.map(({ Description = "" }) => Description));
    return [...descriptions].map((description) => ruleOf(found, description, groupId));
  });
}

function ruleOf(found: IpPermission, description: string, groupId: string): Rule {
  const mine = ({ Description = "" }: { Description?: string | undefined }) =>
    Description === description;
  const groups = (found.UserIdGroupPairs ?? []).filter(mine).map(({ GroupId = "" }) => GroupId);
  const lists = (found.PrefixListIds ?? []).filter(mine);
  return {
    protocol: found.IpProtocol,
    fromPort: found.FromPort ?? 0,
    toPort: found.ToPort ?? 0,
    description,
    cidrBlocks: (found.IpRanges ?? []).filter(mine).map(({ CidrIp = "" }) => CidrIp),
    ipv6CidrBlocks: (found.Ipv6Ranges ?? []).filter(mine).map(({ CidrIpv6 = "" }) => CidrIpv6),
    prefixListIds: lists.map(({ PrefixListId = "" }) => PrefixListId),
    securityGroups: groups.filter((id) => id !== groupId),
    self: groups.includes(groupId),
  };
}
