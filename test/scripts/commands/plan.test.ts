import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** Writes down what is resolved, so that a command can be held to what it loads. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  import { appendFileSync } from "node:fs";
  registerHooks({ resolve(name, context, next) { appendFileSync(process.env.LOADED, name + "\\n"); return next(name, context); } });
`)}`;

describe("berth plan as a process", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-plan-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function berth(
    words: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    node: readonly string[] = [],
  ) {
    const args = ["--import", "tsx", ...node, join(repository, "scripts/cli.ts"), "plan", ...words];
    const env = { ...process.env, ...environment };
    return spawnSync(process.execPath, args, { cwd: repository, env, encoding: "utf8" });
  }

  it("loads neither Pulumi, nor an AWS client, nor ssh2, and no page or card that is not asked for", () => {
    const record = join(folder, "loaded");
    const { status, stdout } = berth(["llama-2-7b"], { LOADED: record }, ["--import", recorder]);
    assert.equal(status, 0);
    assert.match(stdout, /^type {7}g6\.xlarge/m);
    const loaded = readFileSync(record, "utf8").split("\n");
    assert.ok(loaded.some((name) => name.endsWith("/make-report.ts")));
    const heavy = loaded.filter((name) =>
      /@pulumi|@aws-sdk|ssh2|@grpc|plan-page|@huggingface/.test(name),
    );
    assert.deepEqual(heavy, []);
  });

  it("judges the GPUs that nvidia-smi lists, less what they hold", () => {
    const command = join(folder, "nvidia-smi");
    writeFileSync(command, "#!/bin/sh\necho 'NVIDIA GeForce RTX 3090, 24576, 23976'\n");
    chmodSync(command, 0o755);
    const PATH = [folder, process.env["PATH"]].join(delimiter);
    const { status, stdout } = berth(["llama-2-7b", "--local"], { PATH });
    assert.equal(status, 0);
    assert.match(stdout, /^your GPUs {2}NVIDIA GeForce RTX 3090 24GB: yes/m);
  });

  it("says what to write where there is no nvidia-smi", () => {
    const { status, stderr } = berth(["llama-2-7b", "--local"], { PATH: folder + "-none" });
    assert.equal(status, 1);
    assert.match(stderr, /nvidia-smi does not answer on this machine/);
  });

  it("writes the page, and names a place where it cannot", () => {
    const page = join(folder, "plan.html");
    assert.equal(berth(["qwen2.5-7b", "--html", page]).status, 0);
    assert.match(readFileSync(page, "utf8"), /^<!doctype html>/);
    const { status, stderr } = berth(["qwen2.5-7b", "--html", join(folder, "none", "plan.html")]);
    assert.equal(status, 1);
    assert.match(stderr, /The page cannot be written to/);
  });
});
