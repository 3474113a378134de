// Every check that needs no test: types, lint, format, unused code, shell scripts, the lockfile, licences of the
// dependencies. Runs all of them, then exits with 1 when one failed.

import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";

const shellFiles = [".ci/run", ...globSync("**/*.sh", { exclude: ["node_modules/**"] })];
const executables = globSync(
  "{provider,offline,scripts}/**/{pulumi,pulumi-resource-*,berth,nvidia-smi,modprobe,lspci}",
);
const isShell = (path) =>
  /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path, "utf8").split("\n", 1)[0] ?? "");
const scripts = [...new Set([...shellFiles, ...executables.filter(isShell)])].filter(isShell);

const checks = [
  ["types", "tsc", ["--noEmit", "-p", "."]],
  ["lint", "eslint", ["."]],
  ["format", "prettier", ["--check", "--log-level", "warn", "."]],
  ["unused code", "knip", []],
  ["shell", "shellcheck", ["-x", ...scripts]],
  ["lockfile", "npm", ["ci", "--dry-run", "--offline", "--loglevel=error"]],
  ["licences", process.execPath, ["scripts/setup/check-licences.mjs"]],
];

let failed = 0;
for (const [name, command, args] of checks) {
  const started = Date.now();
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  const missing = error?.code === "ENOENT";
  if (missing && command === "shellcheck" && process.env.BERTH_REQUIRE_ALL_TIERS !== "1") {
    console.log(`${name}: skipped, shellcheck is not installed (apt-get install shellcheck)`);
    continue;
  }
  if (status !== 0) failed += 1;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${status === 0 ? "ok" : "FAILED"} (${seconds} s)`);
}
process.exit(failed === 0 ? 0 : 1);
