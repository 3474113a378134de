import type { IAM } from "@aws-sdk/client-iam";
import { sameValue } from "../../engine/compare.ts";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { boolean, json, number, object, set, string, type ValuesOf } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";
import { tagIam } from "./iam-tags.ts";

const inlineFields = { name: string(), policy: json() };
const inline = object(inlineFields);
type Inline = ValuesOf<typeof inlineFields>;

async function inlinePolicies(iam: IAM, RoleName: string): Promise<Inline[]> {
  const { PolicyNames = [] } = await iam.listRolePolicies({ RoleName });
  return Promise.all(
    PolicyNames.map(async (PolicyName) => {
      const { PolicyDocument = "" } = await iam.getRolePolicy({ RoleName, PolicyName });
      return { name: PolicyName, policy: decodeURIComponent(PolicyDocument) };
    }),
  );
}

async function attachedPolicies(iam: IAM, RoleName: string): Promise<string[]> {
  const { AttachedPolicies = [] } = await iam.listAttachedRolePolicies({ RoleName });
  return AttachedPolicies.map(({ PolicyArn = "" }) => PolicyArn);
}

async function setInline(iam: IAM, RoleName: string, before: Inline[], now: Inline[]) {
  for (const { name: PolicyName } of before) {
    if (now.some(({ name }) => name === PolicyName)) continue;
    await unlessGone(iam.deleteRolePolicy({ RoleName, PolicyName }));
  }
  for (const given of now) {
    if (before.some((old) => sameValue(inline, old, given))) continue;
    await iam.putRolePolicy({ RoleName, PolicyName: given.name, PolicyDocument: given.policy });
  }
}

async function setAttached(iam: IAM, RoleName: string, before: string[], now: string[]) {
  for (const PolicyArn of before) {
    if (!now.includes(PolicyArn)) await unlessGone(iam.detachRolePolicy({ RoleName, PolicyArn }));
  }
  for (const PolicyArn of now) {
    if (!before.includes(PolicyArn)) await iam.attachRolePolicy({ RoleName, PolicyArn });
  }
}

/** Who something in AWS acts as. */
export const role = resourceType({
  token: "aws:iam/role:Role",
  regional: false,
  inputs: {
    name: string({ computed: true, replace: true }),
    assumeRolePolicy: json({ required: true }),
    description: string(),
    path: string({ default: "/", replace: true }),
    maxSessionDuration: number({ default: 3600 }),
    permissionsBoundary: string(),
    forceDetachPolicies: boolean({ default: false }),
    inlinePolicies: set(inline, { computed: true }),
    managedPolicyArns: set(string(), { computed: true }),
  },
  outputs: ["arn", "createDate", "uniqueId"],
  name: { property: "name", limit: 64 },
  tag: (context, RoleName, change) =>
    tagIam(
      context,
      change,
      (iam, TagKeys) => iam.untagRole({ RoleName, TagKeys }),
      (iam, Tags) => iam.tagRole({ RoleName, Tags }),
    ),
  create: async (context, inputs) => {
    const iam = await context.clients.iam();
    const id = inputs.name ?? "";
    await iam.createRole({
      RoleName: id,
      AssumeRolePolicyDocument: inputs.assumeRolePolicy,
      Description: inputs.description,
      Path: inputs.path,
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: awsTags(inputs.tagsAll),
    });
    const finish = async (): Promise<void> => {
      await setInline(iam, id, [], inputs.inlinePolicies ?? []);
      await setAttached(iam, id, [], inputs.managedPolicyArns ?? []);
    };
    return { id, finish };
  },
  read: async (context, id) => {
    const iam = await context.clients.iam();
    const found = (await unlessGone(iam.getRole({ RoleName: id })))?.Role;
    if (found === undefined) return undefined;
    return {
      arn: found.Arn,
      name: found.RoleName,
      assumeRolePolicy: decodeURIComponent(found.AssumeRolePolicyDocument ?? ""),
      description: found.Description,
      path: found.Path,
      maxSessionDuration: found.MaxSessionDuration,
      permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
      createDate: found.CreateDate?.toISOString(),
      uniqueId: found.RoleId,
      inlinePolicies: await inlinePolicies(iam, id),
      managedPolicyArns: await attachedPolicies(iam, id),
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { olds, news, changed }) => {
    const iam = await context.clients.iam();
    const RoleName = id;
    if (changed.has("assumeRolePolicy")) {
      await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: news.assumeRolePolicy });
    }
    if (changed.has("description") || changed.has("maxSessionDuration")) {
      await iam.updateRole({
        RoleName,
        Description: news.description ?? "",
        MaxSessionDuration: news.maxSessionDuration,
      });
    }
    if (changed.has("permissionsBoundary")) {
      const PermissionsBoundary = news.permissionsBoundary;
      if (PermissionsBoundary === undefined) await iam.deleteRolePermissionsBoundary({ RoleName });
      else await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary });
    }
    if (changed.has("inlinePolicies") && news.inlinePolicies !== undefined) {
      await setInline(iam, id, (olds["inlinePolicies"] ?? []) as Inline[], news.inlinePolicies);
    }
    if (changed.has("managedPolicyArns") && news.managedPolicyArns !== undefined) {
      const before = (olds["managedPolicyArns"] ?? []) as string[];
      await setAttached(iam, id, before, news.managedPolicyArns);
    }
  },
  delete: async (context, id, state) => {
    const iam = await context.clients.iam();
    const RoleName = id;
    if ((await unlessGone(iam.getRole({ RoleName }))) === undefined) return;
    const { InstanceProfiles = [] } = await iam.listInstanceProfilesForRole({ RoleName });
    for (const { InstanceProfileName } of InstanceProfiles) {
      await unlessGone(iam.removeRoleFromInstanceProfile({ RoleName, InstanceProfileName }));
    }
    // Policies written in the role itself go with it; those attached by others only when that was asked for.
    const force = state["forceDetachPolicies"] === true;
    const attached = force ? await attachedPolicies(iam, id) : (state["managedPolicyArns"] ?? []);
    await setAttached(iam, id, attached as string[], []);
    const written = force ? await inlinePolicies(iam, id) : (state["inlinePolicies"] ?? []);
    await setInline(iam, id, written as Inline[], []);
    await unlessGone(iam.deleteRole({ RoleName }));
  },
});
