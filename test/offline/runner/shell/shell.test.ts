import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import {
  LocalWorkspace,
  PulumiCommand,
  type EngineEvent,
} from "@pulumi/pulumi/automation/index.js";
import { FileBackend } from "../../../../offline/runner/shell/backend.ts";
import { PassphraseSecrets } from "../../../../offline/runner/shell/passphrase.ts";
import { integrityProblems, Project, secretText, shell } from "./project.ts";

function foreignSecrets(passphrase: string) {
  const secrets = PassphraseSecrets.create({ PULUMI_CONFIG_PASSPHRASE: passphrase });
  return { salt: secrets.salt, encrypt: (text: string) => secrets.encrypt(text) };
}

function foreignResource(stack: string, ciphertext: string) {
  return {
    urn: `urn:pulumi:${stack}::proj::pulumi:pulumi:Stack::proj-${stack}`,
    custom: false,
    type: "pulumi:pulumi:Stack",
    outputs: {
      password: {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        ciphertext,
      },
    },
  };
}

describe("PassphraseSecrets", () => {
  it("opens with the right passphrase, and says that a wrong one is wrong", () => {
    const made = PassphraseSecrets.create({ PULUMI_CONFIG_PASSPHRASE: "right" });
    const sealed = made.encrypt("text");
    assert.match(sealed, /^v1:[^:]+:[^:]+$/);
    const opened = PassphraseSecrets.open(made.salt, { PULUMI_CONFIG_PASSPHRASE: "right" });
    assert.equal(opened.decrypt(sealed), "text");
    assert.equal(opened.encrypt("text"), sealed);
    const wrong = { PULUMI_CONFIG_PASSPHRASE: "wrong" };
    assert.throws(() => PassphraseSecrets.open(made.salt, wrong), /incorrect passphrase/);
    assert.throws(() => PassphraseSecrets.create({}), /passphrase must be set/);
  });
});

describe("FileBackend", () => {
  it("names the holder of a lock, and takes over one of a process that is dead", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-backend-"));
    try {
      const backend = new FileBackend(`file://${folder}`);
      const release = backend.lock("proj", "dev");
      const own = new RegExp(`currently locked by .*${hostname()} \\(pid ${process.pid}\\)`);
      assert.throws(() => backend.lock("proj", "dev"), own);
      release();
      const locks = join(folder, ".pulumi/locks/organization/proj/dev");
      const dead = { pid: 2 ** 22 + 1, username: "u", hostname: hostname(), timestamp: "then" };
      writeFileSync(join(locks, "dead.json"), JSON.stringify(dead));
      backend.lock("proj", "dev")();
      const other = { ...dead, hostname: "elsewhere" };
      writeFileSync(join(locks, "other.json"), JSON.stringify(other));
      assert.throws(() => backend.lock("proj", "dev"), /u@elsewhere/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("refuses other backends by name", () => {
    assert.throws(() => new FileBackend("s3://bucket"), /s3:\/\/bucket is not supported/);
  });
});

describe("the runner at a shell", function () {
  this.timeout(180_000);
  let project: Project;
  before(() => {
    project = new Project();
  });
  after(() => {
    project.remove();
  });

  it("refuses a flag, a command and a stack that it does not have, by name", async () => {
    assert.match((await project.run(["up", "--surprise"])).stderr, /--surprise/);
    assert.match((await project.run(["policy", "new"])).stderr, /policy is not supported/);
    const missing = await project.run(["preview", "--stack", "none"]);
    assert.match(missing.stderr, /no stack named 'none' found/);
    assert.equal(missing.code, 255);
  });

  it("keeps secrets out of all that it writes, and takes a stack from up to destroy", async () => {
    assert.equal((await project.run(["stack", "init", "dev"])).code, 0);
    await project.run(["config", "set", "password", secretText, "--secret"]);
    const up = await project.run(["up", "--yes"]);
    assert.equal(up.code, 0, up.stderr);
    assert.ok(!project.written().includes(secretText));
    assert.match(up.stdout, /password: "\[secret\]"/);
    const again = await project.run(["up", "--yes", "--expect-no-changes"]);
    assert.equal(again.code, 0, again.stderr);
    const shown = await project.run(["stack", "output", "password", "--show-secrets"]);
    assert.equal(shown.stdout, `${secretText}\n`);
    const refused = await project.run(["up", "--yes"], { PULUMI_CONFIG_PASSPHRASE: "wrong" });
    assert.match(refused.stderr, /incorrect passphrase/);
  });

  it("takes its own export back without a change", async () => {
    const before = await project.run(["stack", "export"]);
    assert.deepEqual(integrityProblems(before.stdout), []);
    const file = join(project.folder, "export.json");
    writeFileSync(file, before.stdout);
    assert.equal((await project.run(["stack", "import", "--file", file])).code, 0);
    const after = await project.run(["stack", "export"]);
    const resources = (text: string): unknown =>
      (JSON.parse(text) as { deployment: { resources: unknown } }).deployment.resources;
    assert.deepEqual(resources(after.stdout), resources(before.stdout));
    assert.equal((await project.run(["preview", "--expect-no-changes"])).code, 0);
    const wrong = join(project.folder, "wrong.json");
    writeFileSync(wrong, '{"version":1,"deployment":{}}');
    assert.match((await project.run(["stack", "import", "--file", wrong])).stderr, /version 1/);
    writeFileSync(wrong, "not json");
    assert.match(
      (await project.run(["stack", "import", "--file", wrong])).stderr,
      /cannot be read/,
    );
    const end = await project.run(["destroy", "--yes", "--remove"]);
    assert.equal(end.code, 0, end.stderr);
  });

  it("takes a deployment whose secrets another salt sealed, and says which it cannot open", async () => {
    await project.run(["stack", "init", "dev"]);
    const { salt, encrypt } = foreignSecrets("right");
    const file = join(project.folder, "foreign.json");
    const write = (type: string, stack: string) => {
      const resource = foreignResource(stack, encrypt('"sealed elsewhere"'));
      const secrets_providers = { type, state: { salt } };
      const manifest = { time: new Date().toISOString(), magic: "", version: "" };
      const deployment = { manifest, secrets_providers, resources: [resource] };
      writeFileSync(file, JSON.stringify({ version: 3, deployment }));
      return project.run(["stack", "import", "--file", file]);
    };
    assert.match(
      (await write("passphrase", "other")).stderr,
      /not of the stack dev of proj.*--force/s,
    );
    assert.match((await write("service", "dev")).stderr, /encrypted by "service".*--show-secrets/s);
    const taken = await write("passphrase", "dev");
    assert.equal(taken.code, 0, taken.stderr);
    const shown = await project.run(["stack", "export", "--show-secrets"]);
    assert.match(shown.stdout, /sealed elsewhere/);
    assert.ok(!project.written().includes("sealed elsewhere"));
    await project.run(["stack", "rm", "--yes", "--force"]);
  });

  it("is driven by the Automation API unchanged", async () => {
    const pulumiCommand = await PulumiCommand.get({ root: shell, skipVersionCheck: true });
    const options = { pulumiCommand, envVars: project.environment };
    const where = { stackName: "auto", workDir: project.folder };
    const stack = await LocalWorkspace.createOrSelectStack(where, options);
    await stack.setAllConfig({
      password: { value: secretText, secret: true },
      greeting: { value: "ahoy" },
    });
    const events: EngineEvent[] = [];
    const preview = await stack.preview({ onEvent: (event) => events.push(event) });
    assert.equal(preview.changeSummary.create, 2);
    assert.ok(events.some((event) => event.resourcePreEvent !== undefined));
    assert.ok(events.some((event) => event.summaryEvent !== undefined));
    const { outputs, summary } = await stack.up();
    assert.equal(summary.kind, "update");
    assert.equal(summary.result, "succeeded");
    assert.equal(summary.resourceChanges?.create, 2);
    assert.equal(summary.config["proj:greeting"]?.value, "ahoy");
    assert.deepEqual(outputs["greeting"], { value: "ahoy", secret: false });
    assert.deepEqual(outputs["password"], { value: secretText, secret: true });
    await stack.refresh();
    await stack.importStack(await stack.exportStack());
    await stack.destroy();
    await stack.workspace.removeStack("auto");
    assert.deepEqual(await stack.workspace.listStacks(), []);
  });
});
