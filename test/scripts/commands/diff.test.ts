import assert from "node:assert/strict";
import { differences } from "../../../scripts/commands/diff.ts";

describe("differences", () => {
  it("shows what files and environments decide differently, and where each is from", () => {
    const rows = differences(
      ["dev-alice", { "aws:region": "us-east-1", "berth:model": "m", "berth:leaseHours": "8" }],
      ["prod", { "aws:region": "us-east-1", "berth:model": "m", "berth:owner": "ops" }],
    );
    assert.deepEqual(
      rows.map(({ key, one, other }) => [key, one.text, one.from, other.text, other.from]),
      [
        ["berth:env", "dev", "environment", "prod", "environment"],
        ["berth:gpuCount", "1", "environment", "-", "nowhere"],
        ["berth:leaseHours", "8", "file", "none", "environment"],
        ["berth:maxAgeHours", "72", "environment", "2160", "environment"],
        ["berth:owner", "-", "nowhere", "ops", "file"],
        ["berth:protect", "false", "environment", "true", "environment"],
        ["berth:spot", "true", "environment", "false", "environment"],
      ],
    );
  });

  it("is empty for stacks that do the same", () => {
    const config = { "aws:region": "us-east-1" };
    assert.deepEqual(differences(["dev-a", config], ["dev-b", config]), []);
  });
});
