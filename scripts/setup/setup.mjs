// Sets a fresh clone up, then runs a command of the project under a Node that is new enough. It is plain JavaScript
// without dependencies, since it runs before there are any, under whatever Node the machine has.
//
//   node scripts/setup/setup.mjs demo|test|berth|check|bench:sizing [arguments]

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { goodNode, isGood } from "./node-version.mjs";
import { brokenOff, leftBehind, makeTestFolder, removeTestFolder } from "./test-folder.mjs";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../..");
const modules = join(repository, "node_modules");
const stamp = join(modules, ".berth-lockfile");

const commands = {
  demo: ["--import", "tsx", "scripts/cli.ts", "demo"],
  berth: ["--import", "tsx", "scripts/cli.ts"],
  test: ["node_modules/mocha/bin/mocha.js"],
  check: ["scripts/setup/check.mjs"],
  "bench:sizing": ["--import", "tsx", "bench/sizing/main.ts"],
  prepare: ["--import", "tsx", "scripts/setup/prepare.ts"],
};

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Test folders whose files take longest: begun first, so that none of them runs alone at the end. */
const longTests = ["scripts/demo", "offline/runner/shell", "provider", "scripts/commands"];

/** Every test file but the opt-in ones; none where files are named, which run alone. */
function testFiles(named) {
  if (named.some((word) => word.includes(".test.ts"))) return [];
  const rank = (file) => {
    const found = longTests.findIndex((folder) => file.startsWith(`test/${folder}/`));
    return found === -1 ? longTests.length : found;
  };
  return readdirSync(join(repository, "test"), { recursive: true })
    .map((file) => `test/${file.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".test.ts") && !file.startsWith("test/live/"))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function lockfileSum() {
  return createHash("sha256")
    .update(readFileSync(join(repository, "package-lock.json")))
    .digest("hex");
}

function npm(args) {
  const script = process.env.npm_execpath;
  const [file, ...head] = script && /\.c?js$/.test(script) ? [process.execPath, script] : ["npm"];
  return spawnSync(file, [...head, ...args], { cwd: repository, stdio: ["ignore", 2, 2] });
}

function installPackages() {
  const wanted = lockfileSum();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  process.stderr.write("Installing the npm packages of the lockfile (once, under a minute)...\n");
  const result = npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (result.error)
    stop(`npm could not be started (${result.error.message}). Install npm, then run this again.`);
  if (result.status !== 0) stop("npm ci failed; its own message is above. Nothing else was done.");
  writeFileSync(stamp, wanted);
}

function versionOf(node) {
  const result = spawnSync(node, ["--version"], { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : "v0.0";
}

/** This Node where it is one of those, else the one that came with the packages. */
function chooseNode() {
  if (isGood(process.version)) return process.execPath;
  const packaged = join(modules, ".bin", "node");
  if (isGood(versionOf(packaged))) return packaged;
  return stop(
    `This is Node ${process.versions.node}, and berth needs ${goodNode}; npm has no Node package for ` +
      `${process.platform}-${process.arch}.\n  Install a newer one (https://nodejs.org), then run this again.`,
  );
}

/** The exit status of a command that this process only waits for. */
function run(node, args, env = {}) {
  const path = `${join(modules, ".bin")}:${process.env.PATH ?? ""}`;
  const child = spawn(node, args, {
    cwd: repository,
    stdio: "inherit",
    env: { ...process.env, PATH: path, ...env },
  });
  // A terminal sends its Ctrl-C to the child as well, which cleans up; this process only waits for it.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

/** Tests in test/live bring up whole stacks, which takes a busy machine minutes where a free one takes one. */
const limits = (named) =>
  named.some((word) => word.startsWith("test/live/")) ? ["--timeout", "600000"] : [];

/** Runs the tests in a temporary folder of their own; what they leave in it makes a good run a failed one. */
async function runTests(node, named) {
  const prepared = spawnSync(node, commands.prepare, { cwd: repository, stdio: ["ignore", 2, 2] });
  if (prepared.status !== 0) return prepared.status ?? 1;
  const { folder, env } = makeTestFolder(join(modules, ".cache", "berth-tests"));
  try {
    const words = [...limits(named), ...named, ...testFiles(named)];
    const status = await run(node, [...commands.test, ...words], env);
    if (status === 130) return status;
    const broken = brokenOff(folder);
    if (broken.length > 0) process.stderr.write(`The tests broke off:\n  ${broken.join("\n  ")}\n`);
    const left = await leftBehind(folder);
    if (left.length > 0) process.stderr.write(`The tests left behind:\n  ${left.join("\n  ")}\n`);
    return status || (broken.length + left.length > 0 ? 1 : 0);
  } finally {
    removeTestFolder(folder);
  }
}

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(commands, name ?? "")) {
  stop(`No such command: ${name ?? "(none)"}. There are: ${Object.keys(commands).join(", ")}.`);
}
installPackages();
const node = chooseNode();
process.exitCode =
  name === "test" ? await runTests(node, rest) : await run(node, [...commands[name], ...rest]);
