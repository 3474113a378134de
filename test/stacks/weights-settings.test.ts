import assert from "node:assert/strict";
import type { UserError } from "../../components/user-error.ts";
import { parseWeightsSettings } from "../../stacks/weights-settings.ts";

const given = {
  "aws:region": "us-east-1",
  "berth:target": "weights",
  "berth:env": "dev",
  "berth:owner": "ada",
};

describe("parseWeightsSettings", () => {
  it("protects production's weights, and others where it is asked", () => {
    assert.equal(parseWeightsSettings("dev-weights", given).protect, false);
    const prod = { ...given, "berth:env": "prod" };
    assert.equal(parseWeightsSettings("prod-weights", prod).protect, true);
    const open = { ...prod, "berth:protect": "false", "aws:skipMetadataApiCheck": "true" };
    assert.equal(parseWeightsSettings("prod-weights", open).protect, false);
  });

  it("names every problem at once", () => {
    const wrong = { ...given, "aws:region": "here", "berth:owner": "a!", "berth:model": "x" };
    assert.throws(
      () => parseWeightsSettings("dev-weights", wrong),
      (error: UserError) => {
        assert.equal(error.problems.length, 3);
        return true;
      },
    );
  });
});
