import type { HostSettings as Settings } from "../../stacks/parse-settings.ts";
import { ProvisioningError } from "../cli/command-error.ts";

const refusal = /AccessDenied|not authorized|UnauthorizedOperation/i;

/** As IAM words what a policy denies, and not merely fails to allow. */
const explicitDenial = /explicit deny/i;

/** Settings by which a spent budget takes the deployer's right to start more. */
type DenialSettings = Pick<Settings, "budgetDenyRole" | "budgetDenyPolicyArn">;

function hintOf(messages: readonly string[], denial: DenialSettings): string | undefined {
  if (messages.some((line) => /budget/i.test(line) && refusal.test(line))) {
    return "The budget could not be armed, and nothing that costs was made. Give the deployer the rights of docs/iam-policy.md (A budget of the month), or take berth:monthlyBudgetUsd away.";
  }
  const { budgetDenyRole: role, budgetDenyPolicyArn: policy } = denial;
  if (role === undefined || policy === undefined) return undefined;
  if (!messages.some((line) => explicitDenial.test(line))) return undefined;
  return `The month's budget may be spent: then it has attached ${policy} to ${role}, and nothing starts until that is detached, next month too. If it is to go on: aws iam detach-role-policy --role-name ${role} --policy-arn ${policy}. \`berth down\` works all the same.`;
}

/** The same failure, with what to do where it was a budget: one that could not be armed, or one that is spent. */
export function withBudgetRefusal(error: unknown, denial: DenialSettings): unknown {
  if (!(error instanceof ProvisioningError)) return error;
  const hint = hintOf(error.messages, denial);
  if (hint === undefined) return error;
  return new ProvisioningError(error.message, [...error.messages, hint], error.cause);
}
