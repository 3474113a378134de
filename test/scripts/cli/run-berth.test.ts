import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Terminal } from "../../../scripts/adapters/terminal.ts";

// Imported as the commands import each other: mocha requires its test files, and a module that is both required and
// imported is there twice, with two UserErrors.
let cli: typeof import("../../../scripts/cli/run-berth.ts");
let init: typeof import("../../../scripts/commands/init.ts");
let terminals: typeof import("../../../scripts/adapters/terminal.ts");
let errors: typeof import("../../../components/user-error.ts");

before(async () => {
  cli = await import("../../../scripts/cli/run-berth.ts");
  init = await import("../../../scripts/commands/init.ts");
  terminals = await import("../../../scripts/adapters/terminal.ts");
  errors = await import("../../../components/user-error.ts");
});

/** Runs a command line, and gives what it printed. */
async function berth(...words: readonly string[]) {
  let out = "";
  let err = "";
  const sinks = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    interactive: false,
  };
  const code = await cli.runBerth(words, sinks);
  return { code, out, err };
}

function silent(): Terminal {
  return new terminals.Terminal(false, {
    out: () => undefined,
    err: () => undefined,
    interactive: false,
  });
}

describe("berth plan", () => {
  it("says the plan within a second of computing", async () => {
    const began = process.cpuUsage();
    const { code, out } = await berth("plan", "llama-2-7b", "--env", "dev");
    assert.equal(code, 0);
    assert.match(out, /^model {6}llama-2-7b/m);
    assert.match(out, /^type {7}g6\.xlarge/m);
    // Not by the clock, which a busy machine makes late.
    assert.ok(process.cpuUsage(began).user < 1e6);
  });

  it("prints one JSON document and nothing else with --json", async () => {
    const { code, out, err } = await berth("plan", "llama-2-7b", "--json", "--lease-hours", "none");
    assert.equal(code, 0);
    const plan = JSON.parse(out) as { modelId: string; ladder: { instanceType: string }[] };
    assert.equal(plan.modelId, "llama-2-7b");
    assert.equal(plan.ladder[0]?.instanceType, "g6.xlarge");
    assert.match(err, /^ends {7}never/m);
  });

  it("lets flags win over the stack's file", async () => {
    const { out } = await berth(
      "plan",
      "--env",
      "staging",
      "--spot",
      "--context",
      "8192",
      "--json",
    );
    const plan = JSON.parse(out) as {
      serving: { contextTokens: number };
      ladder: { purchase: string }[];
    };
    assert.equal(plan.serving.contextTokens, 8192);
    assert.equal(plan.ladder[0]?.purchase, "spot");
  });

  it("names the nearest models, as text and as JSON, and ends with 1", async () => {
    const asText = await berth("plan", "lama-2-7b");
    assert.equal(asText.code, 1);
    assert.match(asText.err, /Did you mean llama-2-7b/);
    assert.equal(asText.out, "");
    const asJson = await berth("plan", "lama-2-7b", "--json");
    const { error } = JSON.parse(asJson.out) as { error: { kind: string; hint: string } };
    assert.equal(error.kind, "user");
    assert.match(error.hint, /llama-2-7b/);
  });

  it("lists every problem of the flags at once", async () => {
    const wrong = [
      "--precision",
      "int3",
      "--gpus",
      "my card",
      "--region",
      "mars",
      "--arch",
      "mips",
    ];
    const counts = [
      "--context",
      "-4",
      "--gpu-count",
      "0",
      "--concurrency",
      "NaN",
      "--budget-usd",
      "0",
    ];
    const { code, err, out } = await berth("plan", "qwen3-9b", ...wrong, ...counts);
    assert.equal(code, 1);
    assert.equal(out, "");
    const places = ["--precision:", "--gpus:", "--region:", "--arch:", "--context:"];
    for (const place of [
      ...places,
      "--gpu-count:",
      "--concurrency:",
      "--budget-usd:",
      'The model "qwen3-9b"',
    ]) {
      assert.ok(err.includes(`- ${place}`), err);
    }
  });

  it("lists the catalogue", async () => {
    const { out } = await berth("plan", "--list");
    assert.match(out, /^demo-llama-60m /m);
    const listed = out.split("\n").filter((line) => / GiB {2}/.test(line)).length;
    assert.ok(listed > 140);
    assert.match(out, new RegExp(`^${listed} models; `, "m"));
  });
});

describe("berth", () => {
  for (const words of [
    ["bogus"],
    ["up", "--engine", "x"],
    ["plan", "a", "b"],
    ["plan", "--nope"],
  ]) {
    it(`ends with 2 for: ${words.join(" ")}`, async () => {
      const { code, out } = await berth(...words);
      assert.equal(code, 2);
      assert.equal(out, "");
    });

    it(`tells a program the same for: ${words.join(" ")} --json`, async () => {
      const { code, out } = await berth(...words, "--json");
      const { error } = JSON.parse(out) as { error: { kind: string; message: string } };
      assert.deepEqual([code, error.kind], [2, "usage"]);
      assert.doesNotMatch(error.message, /^error:/);
    });
  }

  it("says its version", async () => {
    const { code, out } = await berth("--version");
    assert.equal(code, 0);
    assert.match(out, /^\d+\.\d+\.\d+\n$/);
  });

  it("shows control characters of a host, a model or a file instead of obeying them", () => {
    let out = "";
    const sinks = { out: (text: string) => (out += text), err: () => undefined };
    const terminal = new terminals.Terminal(false, { ...sinks, interactive: false });
    terminal.say("a\u001B]0;title\u0007\tb");
    terminal.write("c\rd\ne\u009B2J");
    assert.equal(out, "a\\x1b]0;title\\x07\tb\nc\\x0dd\ne\\x9b2J");
  });

  it("keeps what is under way on one line of a narrow window", () => {
    let err = "";
    const sinks = { out: () => undefined, err: (text: string) => (err += text) };
    new terminals.Terminal(false, { ...sinks, interactive: true, columns: () => 20 }).status(
      "  ... local-network-vpc 12 s, local-host 3 s",
    );
    assert.equal(err, "\r\u001B[2K  ... local-netw...");
  });

  it("explains itself", async () => {
    const { code, out } = await berth("--help");
    assert.equal(code, 0);
    for (const name of [
      "plan",
      "init",
      "preview",
      "up",
      "status",
      "ssh",
      "down",
      "cloud",
      "demo",
    ]) {
      assert.match(out, new RegExp(`^ {2}${name} `, "m"));
    }
  });

  it("says where to begin when it is asked nothing, in less than a window", async () => {
    const { code, out, err } = await berth();
    assert.deepEqual([code, out], [2, ""]);
    assert.ok(err.split("\n").length < 12);
    const { out: help } = await berth("--help");
    const named = [...err.matchAll(/^ {2}berth (\w+)/gm)].map(([, name = ""]) => name);
    assert.ok(named.length >= 3, err);
    // What it names is there.
    for (const name of named) assert.match(help, new RegExp(`^ {2}${name} `, "m"));
  });

  it("does not begin an up whose stack file lacks something, and says all of it", async () => {
    const { code, err } = await berth("up", "--env", "staging");
    assert.equal(code, 1);
    for (const key of ["owner", "sshCidr", "sshPublicKey"]) {
      assert.ok(err.includes(`stacks/Pulumi.staging.yaml: berth:${key}: is missing`), err);
    }
  });

  it("says how to write the file of a stack that has none", async () => {
    const { code, err } = await berth("up", "--env", "dev-nobody");
    assert.equal(code, 1);
    assert.match(err, /init --env dev-nobody/);
  });
});

describe("berth init", () => {
  it("says every problem at once, and where a key comes from", async () => {
    const home = process.env["HOME"];
    process.env["HOME"] = "/nowhere";
    try {
      const { code, err } = await berth("init", "--env", "dev", "--set", "leaseHours=soon");
      assert.equal(code, 1);
      assert.match(err, /sshCidr/);
      assert.match(err, /sshPublicKey: is missing/);
      assert.match(err, /leaseHours/);
      assert.match(err, /ssh-keygen -t ed25519/);
    } finally {
      if (home === undefined) delete process.env["HOME"];
      else process.env["HOME"] = home;
    }
  });

  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ alice";
  const given = { env: "dev", model: "llama-2-7b", owner: "alice", sshCidr: "203.0.113.7/32" };
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-init-"));
    path = join(folder, "Pulumi.dev.yaml");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a new file with the least that is needed", async () => {
    assert.equal(await init.runInit({ ...given, sshPublicKey: key, path }, silent()), 0);
    const text = await readFile(path, "utf8");
    const keys = [...text.matchAll(/^ {2}(\S+): /gm)].map(([, name]) => name);
    const least = [
      "aws:region",
      "berth:owner",
      "berth:model",
      "berth:sshCidr",
      "berth:sshPublicKey",
    ];
    assert.deepEqual(keys.toSorted(), least.toSorted());
  });

  it("keeps comments and what else the file says", async () => {
    await writeFile(path, "# mine\nconfig:\n  aws:region: us-west-2\n  berth:leaseHours: 2\n");
    await init.runInit({ ...given, sshPublicKey: key, path }, silent());
    const text = await readFile(path, "utf8");
    assert.match(text, /^# mine\n/);
    assert.match(text, /aws:region: us-west-2/);
    assert.match(text, /berth:leaseHours: 2/);
  });

  it("replaces other values only with --force", async () => {
    await writeFile(path, "config:\n  berth:owner: bob\n");
    const options = { ...given, sshPublicKey: key, path };
    await assert.rejects(
      init.runInit(options, silent()),
      (error) => error instanceof errors.UserError && error.problems.join().includes("bob"),
    );
    assert.equal(await readFile(path, "utf8"), "config:\n  berth:owner: bob\n");
    await init.runInit({ ...options, force: true }, silent());
    assert.match(await readFile(path, "utf8"), /berth:owner: alice/);
  });

  it("writes nothing when a value is wrong", async () => {
    const wrong = {
      ...given,
      sshCidr: "0.0.0.0/0",
      sshPublicKey: key,
      path,
      set: ["leaseHours=-1"],
    };
    await assert.rejects(
      init.runInit(wrong, silent()),
      (error) => error instanceof errors.UserError && error.problems.length === 2,
    );
    await assert.rejects(readFile(path), /ENOENT/);
  });
});
