import type { Make, Scenario } from "./scenarios.ts";

const tags = { Name: "one" };
const otherTags = { Name: "two", more: "yes" };

const notice = (threshold: number, notificationType = "ACTUAL") => ({
  comparisonOperator: "GREATER_THAN",
  notificationType,
  threshold,
  thresholdType: "PERCENTAGE",
  subscriberEmailAddresses: ["alice@example.org"],
});

const terms = {
  budgetType: "COST",
  timeUnit: "MONTHLY",
  limitAmount: "200.0",
  limitUnit: "USD",
  metrics: "UnblendedCost",
  filterExpression: {
    ands: [
      { tags: { key: "berth:stack", values: ["dev"] } },
      { not: { dimensions: { key: "RECORD_TYPE", values: ["Credit", "Refund"] } } },
    ],
  },
};

const trust = {
  Statement: [
    { Effect: "Allow", Principal: { Service: "budgets.amazonaws.com" }, Action: "sts:AssumeRole" },
  ],
};

const role = (make: Make) => make("aws:iam/role:Role", { assumeRolePolicy: JSON.stringify(trust) });

/** Budgets, and what they do by themselves. */
export const budgetScenarios: readonly Scenario[] = [
  {
    token: "aws:budgets/budget:Budget",
    inputs: () =>
      Promise.resolve({
        ...terms,
        notifications: [notice(50), notice(80), notice(100, "FORECASTED")],
        tags,
      }),
    update: {
      limitAmount: "300.0",
      filterExpression: { tags: { key: "berth:stack", values: ["other"] } },
      notifications: [notice(50), notice(90)],
      tags: otherTags,
    },
    replace: { name: "another" },
  },
  {
    token: "aws:budgets/budgetAction:BudgetAction",
    inputs: async (make) => ({
      budgetName: (await make("aws:budgets/budget:Budget", terms)).outputs["name"],
      actionType: "APPLY_IAM_POLICY",
      approvalModel: "AUTOMATIC",
      notificationType: "ACTUAL",
      actionThreshold: { actionThresholdType: "PERCENTAGE", actionThresholdValue: 100 },
      definition: {
        iamActionDefinition: {
          policyArn: "arn:aws:iam::aws:policy/AWSDenyAll",
          roles: [(await role(make)).id],
        },
      },
      executionRoleArn: (await role(make)).outputs["arn"],
      subscribers: [{ address: "alice@example.org", subscriptionType: "EMAIL" }],
      tags,
    }),
    update: {
      actionThreshold: { actionThresholdType: "PERCENTAGE", actionThresholdValue: 90 },
      tags: otherTags,
    },
    replace: { budgetName: "another" },
  },
];
