import {
  GetInstanceProfileCommand,
  IAMClient,
  ListRoleTagsCommand,
  paginateListInstanceProfiles,
  paginateListRoles,
  type Tag,
} from "@aws-sdk/client-iam";
import { stackTag } from "../../components/identity.ts";
import type { AccountScope, Question, Remnant } from "./receipt.ts";

function isOurs(tags: readonly Tag[] | undefined, stack: string): boolean {
  return (tags ?? []).some(({ Key, Value }) => Key === stackTag && Value === stack);
}

async function roles({ stack, client: settings }: AccountScope): Promise<readonly Remnant[]> {
  const client = new IAMClient(settings);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListRoles({ client }, {})) {
      for (const { RoleName = "" } of page.Roles ?? []) {
        if (!RoleName.startsWith(`${stack}-`)) continue;
        const { Tags } = await client.send(new ListRoleTagsCommand({ RoleName }));
        if (isOurs(Tags, stack)) found.push({ service: "iam", kind: "role", id: RoleName });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

async function profiles({ stack, client: settings }: AccountScope): Promise<readonly Remnant[]> {
  const client = new IAMClient(settings);
  const found: Remnant[] = [];
  try {
    for await (const page of paginateListInstanceProfiles({ client }, {})) {
      for (const { InstanceProfileName = "" } of page.InstanceProfiles ?? []) {
        if (!InstanceProfileName.startsWith(`${stack}-`)) continue;
        const answer = await client.send(new GetInstanceProfileCommand({ InstanceProfileName }));
        if (!isOurs(answer.InstanceProfile?.Tags, stack)) continue;
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
