import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needs } from "../../../support/tier.ts";
import { Project, secretText, shell } from "./project.ts";

interface Digest {
  readonly steps: readonly { op: string; urn: string; newState: Record<string, unknown> }[];
  readonly changeSummary: Record<string, number>;
}

/** Runs `pulumi up` on a terminal, and answers its question. */
async function upOnTerminal(project: Project, answer: string): Promise<string> {
  const command = `stty cols 200; ${join(shell, "bin/pulumi")} up`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: project.folder,
    env: { ...process.env, ...project.environment },
  });
  let seen = "";
  let answered = false;
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (answered || !seen.includes("Type yes, or no:")) return;
    answered = true;
    child.stdin.write(answer);
  });
  const code = await new Promise((done) => child.once("exit", done));
  return `${seen}\nexit ${String(code)}`;
}

describe("the commands of the runner", function () {
  this.timeout(180_000);
  let project: Project;
  before(async () => {
    project = new Project();
    await project.run(["stack", "init", "dev"]);
    await project.run(["config", "set", "password", secretText, "--secret"]);
  });
  after(() => {
    project.remove();
  });

  it("show a preview as one JSON document without secrets", async () => {
    const { stdout } = await project.run(["preview", "--json"]);
    const digest = JSON.parse(stdout) as Digest;
    const step = digest.steps.find(({ urn }) => urn.endsWith("::one"));
    assert.equal(step?.op, "create");
    assert.deepEqual(step.newState["inputs"], { content: "[secret]" });
    assert.equal(digest.changeSummary["create"], 2);
    assert.ok(!stdout.includes(secretText));
  });

  it("refuse an up that nobody can be asked about", async () => {
    const { code, stderr } = await project.run(["up"]);
    assert.equal(code, 255);
    assert.match(stderr, /--yes or --skip-preview must be passed/);
  });

  it("ask on a terminal, and do nothing without a yes", async function () {
    needs(this, "a terminal to run in", process.platform === "linux", "script(1) differs here");
    for (const answer of ["no\r", "\u0003"]) {
      const declined = await upOnTerminal(project, answer);
      assert.match(declined, /confirmation declined/);
      assert.match(declined, /exit 255/);
    }
    const before = await project.run(["stack", "history"]);
    assert.match(before.stdout, /never been updated/);
    const agreed = await upOnTerminal(project, "yes\r");
    assert.match(agreed, /files:index:File one done/);
    assert.match(agreed, /exit 0/);
  });

  it("keep a history, the latest first, secrets sealed until asked for", async () => {
    await project.run(["refresh", "--yes", "--message", "a look"]);
    const closed = await project.run(["stack", "history", "--json"]);
    const rows = JSON.parse(closed.stdout) as Record<string, unknown>[];
    assert.deepEqual(
      rows.map(({ kind, result, message }) => [kind, result, message]),
      [
        ["refresh", "succeeded", "a look"],
        ["update", "succeeded", ""],
      ],
    );
    assert.ok(!closed.stdout.includes(secretText));
    assert.ok(!project.written().includes(secretText));
    const page = ["--json", "--show-secrets", "--page-size", "1", "--page", "2"];
    const { stdout } = await project.run(["stack", "history", ...page]);
    const [row] = JSON.parse(stdout) as { kind: string; config: unknown }[];
    assert.equal(row?.kind, "update");
    assert.deepEqual(row.config, { "proj:password": { value: secretText, secret: true } });
  });

  it("reach into settings by path, sealed ones among them", async () => {
    const set = (...args: string[]) => project.run(["config", "set", "--path", ...args]);
    await set("outer.inner", "7");
    await set("outer.names[0]", "first");
    await set('outer["a.b"]', secretText, "--secret");
    const get = async (key: string) =>
      (await project.run(["config", "get", "--path", key])).stdout.trim();
    assert.equal(await get("outer.inner"), "7");
    assert.equal(await get("outer.names[0]"), "first");
    assert.equal(await get('outer["a.b"]'), secretText);
    assert.ok(!project.written().includes(secretText));
    const hidden = await project.run(["config"]);
    assert.ok(!hidden.stdout.includes(secretText));
    assert.match((await set("outer.names[5]", "x")).stderr, /no place for 5/);
    assert.match((await set("outer[", "x")).stderr, /no path of a setting/);
    await project.run(["config", "rm", "--path", "outer.names"]);
    assert.equal(await get("outer.names[0]"), "");
    await project.run(["config", "rm", "outer"]);
  });

  it("write events to a file, and say when nobody listens at an address", async () => {
    const file = join(project.folder, "events");
    await project.run(["preview", "--event-log", file]);
    const lines = readFileSync(file, "utf8").trim().split("\n");
    assert.ok(lines.some((line) => "summaryEvent" in (JSON.parse(line) as object)));
    const deaf = await project.run(["preview", "--event-log", "tcp://127.0.0.1:1"]);
    assert.equal(deaf.code, 0);
    assert.match(deaf.stderr, /the event listener is gone/);
    const nowhere = await project.run(["preview", "--event-log", join(project.folder, "no/file")]);
    assert.match(nowhere.stderr, /could not create event log/);
  });

  it("name a stack file that is not YAML", async () => {
    const path = join(project.folder, "Pulumi.dev.yaml");
    const good = readFileSync(path);
    writeFileSync(path, "config: [");
    assert.match((await project.run(["preview"])).stderr, /Pulumi\.dev\.yaml is not YAML/);
    writeFileSync(path, good);
  });
});
