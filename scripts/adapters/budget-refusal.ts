import { ProvisioningError } from "../command-error.ts";

const refusal = /AccessDenied|not authorized|UnauthorizedOperation/i;

/** The same failure, with what to do where it was AWS Budgets that refused; the budget comes before all that costs. */
export function withBudgetRefusal(error: unknown): unknown {
  if (!(error instanceof ProvisioningError)) return error;
  const refused = error.messages.some((line) => /budget/i.test(line) && refusal.test(line));
  if (!refused) return error;
  const hint =
    "The budget could not be armed, and nothing that costs was made. Give the deployer the rights of docs/iam-policy.md (A budget of the month), or take berth:monthlyBudgetUsd away.";
  return new ProvisioningError(error.message, [...error.messages, hint], error.cause);
}
