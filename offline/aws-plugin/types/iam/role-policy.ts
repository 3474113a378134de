import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { json, string } from "../../engine/schema.ts";

function parts(id: string): { RoleName: string; PolicyName: string } {
  const [RoleName = "", ...rest] = id.split(":");
  return { RoleName, PolicyName: rest.join(":") };
}

/** What a role may do, written into it. */
export const rolePolicy = resourceType({
  token: "aws:iam/rolePolicy:RolePolicy",
  regional: false,
  inputs: {
    name: string({ computed: true, replace: true }),
    role: string({ required: true, replace: true }),
    policy: json({ required: true }),
  },
  outputs: [],
  name: { property: "name", limit: 128 },
  create: async (context, { role = "", name = "", policy }) => {
    const iam = await context.clients.iam();
    await iam.putRolePolicy({ RoleName: role, PolicyName: name, PolicyDocument: policy });
    return { id: `${role}:${name}` };
  },
  read: async (context, id) => {
    const iam = await context.clients.iam();
    const found = await unlessGone(iam.getRolePolicy(parts(id)));
    if (found === undefined) return undefined;
    const { RoleName, PolicyName, PolicyDocument = "" } = found;
    return { role: RoleName, name: PolicyName, policy: decodeURIComponent(PolicyDocument) };
  },
  update: async (context, id, { news, changed }) => {
    if (!changed.has("policy")) return;
    const iam = await context.clients.iam();
    await iam.putRolePolicy({ ...parts(id), PolicyDocument: news.policy });
  },
  delete: async (context, id) => {
    const iam = await context.clients.iam();
    await unlessGone(iam.deleteRolePolicy(parts(id)));
  },
});
