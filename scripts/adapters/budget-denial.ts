import { IAMClient, paginateListAttachedRolePolicies } from "@aws-sdk/client-iam";
import type { ClientSettings } from "./account-scope.ts";
import type { StackConfig } from "./stack-file.ts";

/**
 * Says that a spent budget's policy is on the deployer's role, where the stack's file names both: it outlives the stack. Who may
 * not ask is told nothing, since then nothing is known.
 */
export async function denialLines(
  client: ClientSettings,
  config: StackConfig | undefined,
): Promise<readonly string[]> {
  const [role, policy] = [config?.["berth:budgetDenyRole"], config?.["berth:budgetDenyPolicyArn"]];
  if (typeof role !== "string" || typeof policy !== "string") return [];
  const iam = new IAMClient(client);
  try {
    const pages = paginateListAttachedRolePolicies({ client: iam }, { RoleName: role });
    for await (const { AttachedPolicies = [] } of pages) {
      if (!AttachedPolicies.some(({ PolicyArn }) => PolicyArn === policy)) continue;
      return [
        `stays      ${policy} on the role ${role}, as a spent budget attaches it; nothing starts until:`,
        `           aws iam detach-role-policy --role-name ${role} --policy-arn ${policy}`,
      ];
    }
    return [];
  } catch {
    return [];
  } finally {
    iam.destroy();
  }
}
