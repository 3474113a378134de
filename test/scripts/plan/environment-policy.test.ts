import assert from "node:assert/strict";
import { differences, saidText, stackPolicy } from "../../../scripts/plan/environment-policy.ts";

describe("differences", () => {
  it("shows what files and environments decide differently, and where each is from", () => {
    const rows = differences(
      stackPolicy("dev-alice", {
        "aws:region": "us-east-1",
        "berth:model": "m",
        "berth:leaseHours": "8",
      }),
      stackPolicy("prod", { "aws:region": "us-east-1", "berth:model": "m", "berth:owner": "ops" }),
    );
    assert.deepEqual(
      rows.map(({ key, one, other }) => [key, one.text, one.from, other.text, other.from]),
      [
        ["berth:env", "dev", "policy", "prod", "policy"],
        ["berth:gpuCount", "1", "policy", "-", "nowhere"],
        ["berth:leaseHours", "8", "file", "none", "policy"],
        ["berth:maxAgeHours", "72", "policy", "2160", "policy"],
        ["berth:owner", "-", "nowhere", "ops", "file"],
        ["berth:protect", "false", "policy", "true", "policy"],
        ["berth:spot", "true", "policy", "false", "policy"],
      ],
    );
  });

  it("lets a flag win over the file, the file over the policy, and the policy over the default", () => {
    const [concurrency, leaseHours] = differences(
      stackPolicy(
        "dev",
        { "berth:leaseHours": 8, "berth:concurrency": 4 },
        { "berth:leaseHours": "2" },
      ),
      stackPolicy("dev-b", {}),
    );
    const below = { text: "8", from: "file" };
    assert.deepEqual(leaseHours?.one, { text: "2", from: "flag", over: below });
    assert.deepEqual(leaseHours.other, { text: "4", from: "policy" });
    assert.deepEqual(concurrency?.other, { text: "1", from: "default" });
    assert.equal(concurrency.one.over?.from, "default");
  });

  it("names no level below that says the same", () => {
    const [leaseHours] = differences(
      stackPolicy("dev", { "berth:leaseHours": 4 }),
      stackPolicy("dev-b", { "berth:leaseHours": 6 }),
    );
    assert.deepEqual(leaseHours?.one, { text: "4", from: "file" });
    assert.deepEqual(leaseHours.other.over, { text: "4", from: "policy" });
  });

  it("is empty for stacks that do the same", () => {
    const config = { "aws:region": "us-east-1" };
    assert.deepEqual(differences(stackPolicy("dev-a", config), stackPolicy("dev-b", config)), []);
  });
});

describe("saidText", () => {
  it("says who decides, and over what", () => {
    const over = { text: "4", from: "policy" } as const;
    assert.equal(saidText({ text: "8", from: "file", over }, "dev"), "8 (file; policy of dev: 4)");
    assert.equal(saidText({ text: "true", from: "policy" }, "dev"), "true (policy of dev)");
    assert.equal(saidText({ text: "-", from: "nowhere" }, "dev"), "-");
  });
});
