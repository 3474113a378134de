import assert from "node:assert/strict";
import { UserError } from "../../components/user-error.ts";
import { checkBudget, type BudgetSettings } from "../../stacks/budget.ts";
import { somePlan } from "../support/builders.ts";

function settings(change: Partial<BudgetSettings>): BudgetSettings {
  return { owner: "alice@example.org", leaseHours: 4, ...change };
}

describe("checkBudget", () => {
  const plan = somePlan({ leaseHours: 4 });

  it("lets through what it is enough for, and everything without one", () => {
    checkBudget(settings({ budgetUsd: plan.leaseUsd! }), plan);
    checkBudget(settings({ budgetUsd: undefined }), plan);
  });

  it("holds what costs more, and says how long it would be enough for", () => {
    assert.throws(
      () => {
        checkBudget(settings({ budgetUsd: plan.hourlyUsd * 2 }), plan);
      },
      (error) =>
        error instanceof UserError &&
        error.message.includes("its lease of 4 h") &&
        (error.hint ?? "").includes("2.0 h"),
    );
  });

  it("counts a month without an end", () => {
    const endless = somePlan({ leaseHours: undefined });
    assert.throws(() => {
      checkBudget(settings({ leaseHours: undefined, budgetUsd: endless.hourlyUsd * 700 }), endless);
    }, /over a month/);
  });

  it("counts office hours for a month without an end, and holds it to the month's budget too", () => {
    const endless = somePlan({ leaseHours: undefined });
    const hours = { leaseHours: undefined, officeHours: "Mon-Fri 09:00-17:00 Europe/Berlin" };
    const monthUsd = (endless.hourlyUsd * 40 * 730) / 168;
    checkBudget(settings({ ...hours, monthlyBudgetUsd: monthUsd + 0.01 }), endless);
    checkBudget(settings({ ...hours, budgetUsd: monthUsd + 0.01 }), endless);
    assert.throws(() => {
      checkBudget(settings({ ...hours, monthlyBudgetUsd: monthUsd - 0.01 }), endless);
    }, /a month of 173.8 h, and berth:monthlyBudgetUsd allows/);
  });

  it("refuses a month's budget that nobody would hear of, and half a denial, in one go", () => {
    const wrong = settings({
      owner: "alice",
      monthlyBudgetUsd: 500,
      budgetDenyRole: "deployer",
    });
    assert.throws(
      () => {
        checkBudget(wrong, plan);
      },
      (error) => error instanceof UserError && error.problems.length === 2,
    );
    checkBudget(
      settings({ owner: "alice", monthlyBudgetUsd: 500, budgetAlerts: ["a@b.org"] }),
      plan,
    );
  });
});
