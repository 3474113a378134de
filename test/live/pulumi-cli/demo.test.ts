import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { delimiter, join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "../../..");

describe("The demo on the Pulumi CLI", function () {
  this.timeout(600_000);

  it("goes the whole way, and leaves nothing", () => {
    const path = [process.env["PATH"] ?? "", join(import.meta.dirname, "bin")].join(delimiter);
    const words = ["--import", "tsx", "scripts/cli.ts", "demo", "--engine", "pulumi"];
    const demo = spawnSync(process.execPath, [...words, "--tier", "process"], {
      cwd: repository,
      encoding: "utf8",
      env: { ...process.env, PATH: path, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    assert.equal(demo.status, 0, demo.stdout + demo.stderr);
    assert.match(demo.stdout + demo.stderr, /run by pulumi 3\./);
    assert.match(demo.stdout + demo.stderr, /receipt +0 left/);
  });
});
