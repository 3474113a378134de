import type { IAM } from "@aws-sdk/client-iam";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { string } from "../../engine/schema.ts";
import { awsTags, tagMap } from "../../engine/tags.ts";
import { tagIam } from "./iam-tags.ts";

async function rolesOf(iam: IAM, InstanceProfileName: string): Promise<string[]> {
  const found = await unlessGone(iam.getInstanceProfile({ InstanceProfileName }));
  return (found?.InstanceProfile?.Roles ?? []).map(({ RoleName = "" }) => RoleName);
}

async function setRole(iam: IAM, InstanceProfileName: string, role: string | undefined) {
  for (const RoleName of await rolesOf(iam, InstanceProfileName)) {
    if (RoleName === role) return;
    await unlessGone(iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
  }
  if (role !== undefined)
    await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName: role });
}

/** Gives a role to instances. */
export const instanceProfile = resourceType({
  token: "aws:iam/instanceProfile:InstanceProfile",
  regional: false,
  inputs: {
    name: string({ computed: true, replace: true }),
    path: string({ default: "/", replace: true }),
    role: string(),
  },
  outputs: ["arn", "createDate", "uniqueId"],
  name: { property: "name", limit: 128 },
  tag: (context, InstanceProfileName, change) =>
    tagIam(
      context,
      change,
      (iam, TagKeys) => iam.untagInstanceProfile({ InstanceProfileName, TagKeys }),
      (iam, Tags) => iam.tagInstanceProfile({ InstanceProfileName, Tags }),
    ),
  create: async (context, inputs) => {
    const iam = await context.clients.iam();
    const id = inputs.name ?? "";
    await iam.createInstanceProfile({
      InstanceProfileName: id,
      Path: inputs.path,
      Tags: awsTags(inputs.tagsAll),
    });
    return { id, finish: () => setRole(iam, id, inputs.role) };
  },
  read: async (context, id) => {
    const iam = await context.clients.iam();
    const answer = await unlessGone(iam.getInstanceProfile({ InstanceProfileName: id }));
    const found = answer?.InstanceProfile;
    if (found === undefined) return undefined;
    return {
      arn: found.Arn,
      name: found.InstanceProfileName,
      path: found.Path,
      role: found.Roles?.[0]?.RoleName,
      createDate: found.CreateDate?.toISOString(),
      uniqueId: found.InstanceProfileId,
      tagsAll: tagMap(found.Tags),
    };
  },
  update: async (context, id, { news, changed }) => {
    if (changed.has("role")) await setRole(await context.clients.iam(), id, news.role);
  },
  delete: async (context, id) => {
    const iam = await context.clients.iam();
    for (const RoleName of await rolesOf(iam, id)) {
      await unlessGone(iam.removeRoleFromInstanceProfile({ InstanceProfileName: id, RoleName }));
    }
    await unlessGone(iam.deleteInstanceProfile({ InstanceProfileName: id }));
  },
});
