import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { stackTag } from "../identity.ts";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";
import type { BudgetAlerts } from "./budget-alerts.ts";

/** What is attached to whom when the budget is spent. */
export interface SpentBudgetDenial {
  /** Name of the role that deploys. */
  readonly roleName: string;
  /** A policy of the account's own that denies what costs and allows all that ends it; docs/cost.md has one. */
  readonly policyArn: string;
}

/** What may be spent, by what, and who is told. */
export interface StackBudgetArgs {
  /** The stack whose tag the cost carries. */
  readonly stack: string;
  /** USD a calendar month. */
  readonly limitUsd: number;
  readonly alerts: BudgetAlerts;
  /** @default nobody loses a right */
  readonly denial?: SpentBudgetDenial | undefined;
  readonly tags: TagInputs;
}

/** Shares of the limit at which people are told, per cent, and whether of what was spent or of what will be. */
const thresholds = [
  [50, "ACTUAL"],
  [80, "ACTUAL"],
  [100, "ACTUAL"],
  [100, "FORECASTED"],
] as const;

/**
 * An AWS budget of one stack, by its cost-allocation tag: it tells people at 50, 80 and 100 % and when the forecast says
 * that the month will pass it; when asked, it takes the deployer's right to start more. AWS looks at it a few times a day
 * (https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-managing-costs.html): a late backstop, not a guard.
 *
 * ### Cost
 * None; with a denial $0.10 a day beyond the account's first two budgets with actions
 * (https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/).
 */
export class StackBudget extends pulumi.ComponentResource {
  readonly budgetName: pulumi.Output<string>;

  constructor(name: string, args: StackBudgetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:StackBudget", name, {}, opts);
    const { stack, limitUsd, alerts, denial, tags } = args;
    const { emails, topics } = alerts;
    const budget = new aws.budgets.Budget(
      `${name}-month`,
      {
        budgetType: "COST",
        timeUnit: "MONTHLY",
        limitAmount: limitUsd.toFixed(2),
        limitUnit: "USD",
        metrics: "UnblendedCost",
        filterExpression: {
          ands: [
            { tags: { key: stackTag, values: [stack] } },
            // Credits would keep it silent for as long as they last.
            { not: { dimensions: { key: "RECORD_TYPE", values: ["Credit", "Refund"] } } },
          ],
        },
        notifications: thresholds.map(([threshold, notificationType]) => ({
          comparisonOperator: "GREATER_THAN",
          notificationType,
          threshold,
          thresholdType: "PERCENTAGE",
          subscriberEmailAddresses: [...emails],
          subscriberSnsTopicArns: [...topics],
        })),
        tags: namedTags(tags, `${name}-month`),
      },
      { parent: this },
    );
    if (denial !== undefined) denyWhenSpent(name, { budget, denial, alerts, tags }, this);
    this.budgetName = budget.name;
    this.registerOutputs({ budgetName: this.budgetName });
  }
}

interface DenialParts extends Pick<StackBudgetArgs, "alerts" | "tags"> {
  readonly budget: aws.budgets.Budget;
  readonly denial: SpentBudgetDenial;
}

function denyWhenSpent(name: string, parts: DenialParts, parent: pulumi.Resource): void {
  const { budget, denial, alerts, tags } = parts;
  const role = new aws.iam.Role(
    `${name}-denier`,
    {
      description: "berth: attaches one policy to one role when a budget is spent",
      // A budget's action has the budget's name in front of its own.
      assumeRolePolicy: budget.arn.apply((arn) => trustPolicy("budgets.amazonaws.com", `${arn}*`)),
      tags: namedTags(tags, `${name}-denier`),
    },
    { parent },
  );
  const allowed = new aws.iam.RolePolicy(
    `${name}-deny`,
    { role: role.name, policy: role.arn.apply((arn) => denierPolicy(arn, denial)) },
    { parent },
  );
  const subscribers = [
    ...alerts.emails.map((address) => ({ address, subscriptionType: "EMAIL" })),
    ...alerts.topics.map((address) => ({ address, subscriptionType: "SNS" })),
  ];
  new aws.budgets.BudgetAction(
    `${name}-at-limit`,
    {
      budgetName: budget.name,
      actionType: "APPLY_IAM_POLICY",
      approvalModel: "AUTOMATIC",
      notificationType: "ACTUAL",
      actionThreshold: { actionThresholdType: "PERCENTAGE", actionThresholdValue: 100 },
      definition: {
        iamActionDefinition: { policyArn: denial.policyArn, roles: [denial.roleName] },
      },
      executionRoleArn: role.arn,
      subscribers,
      tags: namedTags(tags, `${name}-at-limit`),
    },
    { parent, dependsOn: [allowed] },
  );
}

/** May attach that one policy to that one role of its own account, and take it away again; nothing else. */
function denierPolicy(ownArn: string, { roleName, policyArn }: SpentBudgetDenial): string {
  const account = ownArn.split(":")[4] ?? "";
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        // A role's path stands before its name.
        Resource: [
          `arn:aws:iam::${account}:role/${roleName}`,
          `arn:aws:iam::${account}:role/*/${roleName}`,
        ],
        Condition: { ArnEquals: { "iam:PolicyARN": policyArn } },
      },
    ],
  });
}
