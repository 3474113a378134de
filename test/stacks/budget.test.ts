import assert from "node:assert/strict";
import { UserError } from "../../components/user-error.ts";
import { checkBudget } from "../../stacks/budget.ts";
import { somePlan } from "../support/builders.ts";

describe("checkBudget", () => {
  const plan = somePlan({ leaseHours: 4 });

  it("lets through what it is enough for, and everything without one", () => {
    checkBudget({ budgetUsd: plan.leaseUsd! }, plan);
    checkBudget({ budgetUsd: undefined }, plan);
  });

  it("holds what costs more, and says how long it would be enough for", () => {
    assert.throws(
      () => {
        checkBudget({ budgetUsd: plan.hourlyUsd * 2 }, plan);
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
      checkBudget({ budgetUsd: endless.hourlyUsd * 700 }, endless);
    }, /over a month/);
  });
});
