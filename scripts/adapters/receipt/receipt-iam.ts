import {
  GetInstanceProfileCommand,
  IAMClient,
  ListRoleTagsCommand,
  paginateListInstanceProfiles,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import { isTagged, type AccountScope, type Question, type Remnant } from "../account-scope.ts";

async function roles(scope: AccountScope): Promise<readonly Remnant[]> {
  const client = new IAMClient(scope.client);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListRoles({ client }, {})) {
      for (const { RoleName = "" } of page.Roles ?? []) {
        if (!RoleName.startsWith(`${scope.stack}-`)) continue;
        const { Tags } = await client.send(new ListRoleTagsCommand({ RoleName }));
        if (isTagged(Tags, scope)) found.push({ service: "iam", kind: "role", id: RoleName });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

async function profiles(scope: AccountScope): Promise<readonly Remnant[]> {
  const client = new IAMClient(scope.client);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListInstanceProfiles({ client }, {})) {
      for (const { InstanceProfileName = "" } of page.InstanceProfiles ?? []) {
        if (!InstanceProfileName.startsWith(`${scope.stack}-`)) continue;
        const answer = await client.send(new GetInstanceProfileCommand({ InstanceProfileName }));
        if (!isTagged(answer.InstanceProfile?.Tags, scope)) continue;
        found.push({ service: "iam", kind: "instance-profile", id: InstanceProfileName });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Roles and instance profiles by name, then tag: IAM is not in the tag index. */
export const iamQuestions: readonly Question[] = [
  { name: "IAM roles", ask: roles },
  { name: "IAM instance profiles", ask: profiles },
];
