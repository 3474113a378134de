import type * as pulumi from "@pulumi/pulumi";
import { budgetAlerts } from "../components/budget/budget-alerts.ts";
import { StackBudget } from "../components/budget/stack-budget.ts";
import { partName } from "../components/identity.ts";
import type { TagInputs } from "../components/named-tags.ts";
import type { BudgetSettings } from "./budget.ts";
import type { Settings } from "./settings.ts";

/** What a budget is armed with besides the settings. */
export interface BudgetScope {
  readonly tags: TagInputs;
  readonly inAccount: pulumi.ComponentResourceOptions;
}

/** The AWS budget that `berth:monthlyBudgetUsd` arms, before anything costs; none without that setting. */
export function armBudget(
  settings: BudgetSettings & Pick<Settings, "stack">,
  { tags, inAccount }: BudgetScope,
): readonly StackBudget[] {
  const { stack, owner, monthlyBudgetUsd: limitUsd } = settings;
  if (limitUsd === undefined) return [];
  const { budgetDenyRole: roleName, budgetDenyPolicyArn: policyArn } = settings;
  const denial =
    roleName === undefined || policyArn === undefined ? undefined : { roleName, policyArn };
  const alerts = budgetAlerts(settings.budgetAlerts, owner);
  const args = { stack, limitUsd, alerts, denial, tags };
  return [new StackBudget(partName(stack, "budget"), args, inAccount)];
}
