import assert from "node:assert/strict";
import { budgetAlerts } from "../../../components/budget/budget-alerts.ts";
import { StackBudget, type StackBudgetArgs } from "../../../components/budget/stack-budget.ts";
import { someTags } from "../../support/builders.ts";
import { underMocks } from "../../support/mocks.ts";

const topic = "arn:aws:sns:us-east-1:123456789012:money";
const policyArn = "arn:aws:iam::123456789012:policy/stop-spending";

function budget(change: Partial<StackBudgetArgs> = {}) {
  const alerts = budgetAlerts(["alice@example.org", topic], "bob");
  const args = { stack: "dev", limitUsd: 200, alerts, tags: someTags };
  return underMocks(() => new StackBudget("dev-budget", { ...args, ...change }));
}

describe("StackBudget", () => {
  it("counts what carries the stack's tag, credits left out, in a calendar month", async () => {
    const { inputs } = (await budget()).named("dev-budget-month");
    assert.deepEqual(inputs["filterExpression"], {
      ands: [
        { tags: { key: "berth:stack", values: ["dev"] } },
        { not: { dimensions: { key: "RECORD_TYPE", values: ["Credit", "Refund"] } } },
      ],
    });
    assert.equal(inputs["timeUnit"], "MONTHLY");
    assert.equal(inputs["limitAmount"], "200.00");
    assert.deepEqual(inputs["tags"], { ...someTags, Name: "dev-budget-month" });
  });

  it("tells everybody at 50, 80 and 100 %, and when the forecast passes it", async () => {
    const { inputs } = (await budget()).named("dev-budget-month");
    const told = inputs["notifications"] as {
      threshold: number;
      notificationType: string;
      subscriberEmailAddresses: string[];
      subscriberSnsTopicArns: string[];
    }[];
    assert.deepEqual(
      told.map(({ threshold, notificationType }) => `${threshold} ${notificationType}`),
      ["50 ACTUAL", "80 ACTUAL", "100 ACTUAL", "100 FORECASTED"],
    );
    for (const each of told) {
      assert.deepEqual(each.subscriberEmailAddresses, ["alice@example.org"]);
      assert.deepEqual(each.subscriberSnsTopicArns, [topic]);
    }
  });

  it("takes nobody's rights unless that is asked for", async () => {
    const { childrenOf } = await budget();
    assert.deepEqual(childrenOf("dev-budget"), [["aws:budgets/budget:Budget", "dev-budget-month"]]);
  });

  it("denies by that one policy on that one role, by a role that may do no more", async () => {
    const { named, childrenOf } = await budget({ denial: { roleName: "deployer", policyArn } });
    assert.deepEqual(childrenOf("dev-budget"), [
      ["aws:budgets/budgetAction:BudgetAction", "dev-budget-at-limit"],
      ["aws:iam/role:Role", "dev-budget-denier"],
      ["aws:iam/rolePolicy:RolePolicy", "dev-budget-deny"],
      ["aws:budgets/budget:Budget", "dev-budget-month"],
    ]);
    const { inputs } = named("dev-budget-at-limit");
    assert.deepEqual(inputs["definition"], {
      iamActionDefinition: { policyArn, roles: ["deployer"] },
    });
    assert.deepEqual(inputs["subscribers"], [
      { address: "alice@example.org", subscriptionType: "EMAIL" },
      { address: topic, subscriptionType: "SNS" },
    ]);
    const { Statement: statements } = JSON.parse(
      String(named("dev-budget-deny").inputs["policy"]),
    ) as { Statement: { Action: string[]; Condition: object }[] };
    assert.equal(statements.length, 1);
    assert.deepEqual(statements[0]?.Action, ["iam:AttachRolePolicy", "iam:DetachRolePolicy"]);
    assert.deepEqual(statements[0].Condition, { ArnEquals: { "iam:PolicyARN": policyArn } });
  });
});

describe("budgetAlerts", () => {
  it("tells the owner where nobody else is named and that is an e-mail address", () => {
    assert.deepEqual(budgetAlerts(undefined, "a@b.org"), { emails: ["a@b.org"], topics: [] });
    assert.deepEqual(budgetAlerts(undefined, "alice"), { emails: [], topics: [] });
    assert.deepEqual(budgetAlerts([topic], "a@b.org"), { emails: [], topics: [topic] });
  });
});
