import assert from "node:assert/strict";
import { identityTags, partName } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";

const identity = {
  stack: "dev",
  env: "dev",
  owner: "alice@example.org",
  model: "qwen2.5-7b",
  hourlyUsd: 0.8136,
  protect: false,
};

describe("partName", () => {
  it("joins the stack and the role", () => {
    assert.equal(partName("dev-alice", "host"), "dev-alice-host");
  });

  for (const stack of ["", "Dev", "1dev", "dev_a", "dev.a", "d".repeat(32)]) {
    it(`refuses the stack "${stack}"`, () => {
      assert.throws(() => partName(stack, "host"), UserError);
    });
  }
});

describe("identityTags", () => {
  it("names the deployment in the berth: namespace", () => {
    assert.deepEqual(identityTags(identity), {
      "berth:stack": "dev",
      "berth:env": "dev",
      "berth:owner": "alice@example.org",
      "berth:model": "qwen2.5-7b",
      "berth:hourly-usd": "0.8136",
      "berth:protect": "false",
      "berth:managed-by": "berth",
    });
  });

  it("leaves room for Name, the run, the start and the end within twelve", () => {
    assert.ok(Object.keys(identityTags(identity)).length + 4 <= 12);
  });

  it("takes tags of the user's own beside them, which replace none", () => {
    const tags = identityTags({
      ...identity,
      own: { CostCenter: "research", "berth:env": "prod" },
    });
    assert.equal(tags["CostCenter"], "research");
    assert.equal(tags["berth:env"], "dev");
  });

  it("names every value that AWS would not take", () => {
    assert.throws(
      () => identityTags({ ...identity, owner: "a&b", model: "x".repeat(257) }),
      (error) => error instanceof UserError && error.problems.length === 2,
    );
  });
});
