import type { EC2, IpPermission } from "@aws-sdk/client-ec2";
import { sameValue } from "../../engine/compare.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, set, string } from "../../engine/schema.ts";
import { tagMap } from "../../engine/tags.ts";
import { retryWhile } from "../../engine/waiting.ts";
import { ec2Arn, isInUse, tagEc2, tagSpecification } from "./ec2-tags.ts";
import { permissionOf, rule, rulesOf, type Rule } from "./security-group-permission.ts";

type Way = "ingress" | "egress";

async function authorize(ec2: EC2, id: string, way: Way, rules: readonly Rule[]): Promise<void> {
  if (rules.length === 0) return;
  const request = { GroupId: id, IpPermissions: rules.map((given) => permissionOf(given, id)) };
  await (way === "ingress"
    ? ec2.authorizeSecurityGroupIngress(request)
    : ec2.authorizeSecurityGroupEgress(request));
}

async function revoke(ec2: EC2, id: string, way: Way, rules: IpPermission[] = []): Promise<void> {
  if (rules.length === 0) return;
  const request = { GroupId: id, IpPermissions: rules };
  await (way === "ingress"
    ? ec2.revokeSecurityGroupIngress(request)
    : ec2.revokeSecurityGroupEgress(request));
}

async function change(ec2: EC2, id: string, way: Way, before: Rule[], now: Rule[]): Promise<void> {
  const missing = (from: Rule[], among: Rule[]) =>
    from.filter((one) => !among.some((other) => sameValue(rule, one, other)));
  const old = missing(before, now).map((given) => permissionOf(given, id));
  await unlessGone(revoke(ec2, id, way, old));
  await authorize(ec2, id, way, missing(now, before));
}

async function find(ec2: EC2, id: string) {
  return (await unlessGone(ec2.describeSecurityGroups({ GroupIds: [id] })))?.SecurityGroups?.[0];
}

/** Who may reach what carries it, and what that may reach; without `egress`, nothing. */
export const securityGroup = resourceType({
  token: "aws:ec2/securityGroup:SecurityGroup",
  inputs: {
    name: string({ computed: true, replace: true }),
    description: string({ default: "Managed by Pulumi", replace: true }),
    vpcId: string({ computed: true, replace: true }),
    ingress: set(rule, { computed: true }),
    egress: set(rule, { computed: true }),
    revokeRulesOnDelete: boolean({ default: false }),
  },
  outputs: ["arn", "ownerId"],
  name: { property: "name", limit: 255 },
  tag: tagEc2,
  create: async (context, inputs) => {
    const ec2 = await context.clients.ec2();
    const { GroupId = "" } = await ec2.createSecurityGroup({
      GroupName: inputs.name,
      Description: inputs.description,
      VpcId: inputs.vpcId,
      ...tagSpecification("security-group", inputs.tagsAll),
    });
    try {
      // AWS opens all ways out of a new group; the provider closes them, so that only what is written is open.
      const made = await find(ec2, GroupId);
      await revoke(ec2, GroupId, "egress", made?.IpPermissionsEgress);
      await authorize(ec2, GroupId, "ingress", inputs.ingress ?? []);
      await authorize(ec2, GroupId, "egress", inputs.egress ?? []);
      return { id: GroupId };
    } catch (cause) {
      // Half closed is open: better none, so that the next run begins anew.
      const gone = await ec2.deleteSecurityGroup({ GroupId }).catch(() => undefined);
      if (gone !== undefined) throw cause;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      return { id: GroupId, finish: () => Promise.reject(error) };
    }
  },
  read: async (context, id) => {
    const found = await find(await context.clients.ec2(), id);
    if (found === undefined) return undefined;
    return {
      arn: await ec2Arn(context, `security-group/${id}`),
      name: found.GroupName,
      description: found.Description,
      vpcId: found.VpcId,
      ownerId: found.OwnerId,
      ingress: rulesOf(found.IpPermissions, id),
      egress: rulesOf(found.IpPermissionsEgress, id),
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    const ec2 = await context.clients.ec2();
    for (const way of ["ingress", "egress"] as const) {
      const now = news[way];
      if (!changed.has(way) || now === undefined) continue;
      await change(ec2, id, way, (olds[way] ?? []) as Rule[], now);
    }
  },
  delete: async (context, id, state) => {
    const ec2 = await context.clients.ec2();
    if (state["revokeRulesOnDelete"] === true) {
      const found = await find(ec2, id);
      await revoke(ec2, id, "ingress", found?.IpPermissions);
      await revoke(ec2, id, "egress", found?.IpPermissionsEgress);
    }
    await retryWhile(context, 600, isInUse, () =>
      unlessGone(ec2.deleteSecurityGroup({ GroupId: id })),
    );
  },
});
