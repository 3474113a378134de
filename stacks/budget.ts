import { usd } from "../components/plan-text.ts";
import type { Plan } from "../components/plan.ts";
import { UserError } from "../components/user-error.ts";
import type { Settings } from "./settings.ts";

/** Hours that AWS counts for a month. */
const hoursAMonth = 730;

/**
 * Holds a deployment that would cost more than its budget, by the plan's prices: over its lease, or over a month when it has
 * no end.
 *
 * @throws UserError saying the cost, the budget, and the hours that it would be enough for
 */
export function checkBudget({ budgetUsd }: Pick<Settings, "budgetUsd">, plan: Plan): void {
  if (budgetUsd === undefined) return;
  const { hourlyUsd, leaseUsd, leaseHours } = plan;
  const cost = leaseUsd ?? hourlyUsd * hoursAMonth;
  if (cost <= budgetUsd) return;
  const span = leaseHours === undefined ? "a month" : `its lease of ${leaseHours} h`;
  throw new UserError(
    `It would cost ${usd(cost)} over ${span}, and berth:budgetUsd allows ${usd(budgetUsd)}.`,
    {
      hint: `That is enough for ${(budgetUsd / hourlyUsd).toFixed(1)} h: set berth:leaseHours to less, take a smaller type or precision, or raise the budget.`,
    },
  );
}
