import { budgetAlerts } from "../components/budget/budget-alerts.ts";
import { usd } from "../components/plan-text.ts";
import type { Plan } from "../components/plan.ts";
import { UserError } from "../components/user-error.ts";
import { declaredMonth, type MonthSettings } from "./declared-month.ts";
import type { HostSettings } from "./parse-settings.ts";

/** Settings of the two budgets: of a lease, and of a calendar month. */
export type BudgetSettings = MonthSettings &
  Pick<
    HostSettings,
    | "owner"
    | "budgetUsd"
    | "monthlyBudgetUsd"
    | "budgetAlerts"
    | "budgetDenyRole"
    | "budgetDenyPolicyArn"
  >;

/**
 * Holds a deployment that would cost more than a budget of its settings, by the plan's prices: over its lease or over a month
 * by its schedule; and one whose monthly budget nobody would hear of.
 *
 * @throws UserError saying every budget that it would pass, and what to do
 */
export function checkBudget(settings: BudgetSettings, plan: Plan): void {
  checkAlerts(settings);
  const { budgetUsd, monthlyBudgetUsd } = settings;
  const { hourlyUsd, leaseUsd, leaseHours } = plan;
  const month = declaredMonth(hourlyUsd, settings);
  const span = leaseHours === undefined ? "a month" : `its lease of ${leaseHours} h`;
  const cost = leaseHours === undefined ? month.usd : (leaseUsd ?? hourlyUsd * leaseHours);
  if (budgetUsd !== undefined && cost > budgetUsd) {
    throw tooDear({ cost, span, setting: "budgetUsd", limitUsd: budgetUsd, hourlyUsd });
  }
  if (monthlyBudgetUsd === undefined || month.usd <= monthlyBudgetUsd) return;
  throw tooDear({
    cost: month.usd,
    span: `a month of ${month.hours} h`,
    setting: "monthlyBudgetUsd",
    limitUsd: monthlyBudgetUsd,
    hourlyUsd,
  });
}

interface Excess {
  readonly cost: number;
  readonly span: string;
  readonly setting: string;
  readonly limitUsd: number;
  readonly hourlyUsd: number;
}

function tooDear({ cost, span, setting, limitUsd, hourlyUsd }: Excess): UserError {
  const lever = setting === "budgetUsd" ? "berth:leaseHours" : "berth:officeHours";
  return new UserError(
    `It would cost ${usd(cost)} over ${span}, and berth:${setting} allows ${usd(limitUsd)}.`,
    {
      hint: `That is enough for ${(limitUsd / hourlyUsd).toFixed(1)} h: set ${lever} to less, take a smaller type or precision, or raise the budget.`,
    },
  );
}

/** @throws UserError with each setting of an AWS budget that lacks another one */
function checkAlerts(settings: BudgetSettings): void {
  const { monthlyBudgetUsd, owner, budgetDenyRole, budgetDenyPolicyArn } = settings;
  const { emails, topics } = budgetAlerts(settings.budgetAlerts, owner);
  const problems = [
    ...(monthlyBudgetUsd !== undefined && emails.length + topics.length === 0
      ? [`berth:budgetAlerts: is missing, and berth:owner ("${owner}") is no e-mail address`]
      : []),
    ...((budgetDenyRole === undefined) === (budgetDenyPolicyArn === undefined)
      ? []
      : ["berth:budgetDenyRole and berth:budgetDenyPolicyArn: each needs the other"]),
    ...(budgetDenyRole !== undefined && monthlyBudgetUsd === undefined
      ? ["berth:budgetDenyRole: needs berth:monthlyBudgetUsd"]
      : []),
  ];
  if (problems.length === 0) return;
  throw new UserError("The budget cannot be armed as asked.", {
    problems,
    hint: "Set what is missing, or take the budget's settings away.",
  });
}
