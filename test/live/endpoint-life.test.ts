import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findLocalCloud } from "../../scripts/adapters/local-cloud.ts";
import { until } from "../offline/cloud/account.ts";

const repository = resolve(import.meta.dirname, "../..");
const stack = "local-endpoint-life";
const file = join(repository, "stacks", `Pulumi.${stack}.yaml`);
const cli = ["--import", "tsx", "scripts/cli.ts"];
const run = promisify(execFile);

/** The life of one endpoint by the commands that a person types: capacity that lacks, an update, nights, the end. */
describe("an endpoint by hand, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let cloud: ChildProcess;
  let endpoint: string;
  let home: string;

  // Each has a cloud of its own, whose clock it moves past the deadline.
  beforeEach(async () => {
    assert.equal(findLocalCloud(), undefined, "an emulated cloud runs already");
    home = mkdtempSync(join(tmpdir(), "berth-endpoint-life-"));
    cloud = spawn(process.execPath, [...cli, "cloud", "--tier", "none"], {
      cwd: repository,
      stdio: "ignore",
    });
    await until(() => Promise.resolve(findLocalCloud() !== undefined), 300);
    endpoint = findLocalCloud()!.endpoint;
  });
  afterEach(async () => {
    rmSync(file, { force: true });
    if (cloud.exitCode === null) {
      cloud.kill("SIGINT");
      await once(cloud, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  });

  /** What a command says, on both streams, whether it succeeds or not. */
  async function berth(...words: string[]): Promise<string> {
    const env = {
      ...process.env,
      HOME: home,
      PULUMI_BACKEND_URL: `file://${home}`,
      PULUMI_CONFIG_PASSPHRASE: "try",
    };
    const done = run(process.execPath, [...cli, ...words, "--env", stack], {
      cwd: repository,
      env,
    });
    const { stdout, stderr } = await done.catch((error: unknown) => {
      return error as { stdout: string; stderr: string };
    });
    return stdout + stderr;
  }

  async function settings(endpointMode: string, ...pairs: readonly string[]): Promise<void> {
    rmSync(file, { force: true });
    const mode = `endpointMode=${endpointMode}`;
    const set = ["target=sagemaker", mode, "leaseHours=30", ...pairs];
    const words = set.flatMap((pair) => ["--set", pair]);
    await berth("init", "--weights-bucket", "berth-demo-weights", ...words);
  }

  async function lacksCapacity(instanceType: string | undefined, work: () => Promise<void>) {
    const url = `${endpoint}/_cloud/faults`;
    const kind = "insufficient-capacity";
    const body = JSON.stringify({ kind, service: "sagemaker", instanceType });
    await fetch(url, { method: "POST", body });
    await work();
    await fetch(url, { method: "DELETE" });
  }

  const pass = (seconds: number) =>
    fetch(`${endpoint}/_cloud/clock`, { method: "POST", body: JSON.stringify({ seconds }) });

  it("comes up on the next type, goes back from a bad update, rests and comes again, and ends", async () => {
    await settings("realtime", "fallbackTypes=1");
    await lacksCapacity("ml.g4dn.xlarge", async () => {
      assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.2xlarge/);
    });
    assert.match(await berth("up"), /done +0 steps/);

    await settings("realtime", "fallbackTypes=1", "concurrency=2");
    await lacksCapacity(undefined, async () => {
      assert.match(await berth("up"), /went back to \S+, since \S+ failed: .*Capacity/);
    });
    assert.match(await berth("invoke", "hello", "--max-tokens", "2"), /\w/);
    assert.match(await berth("up"), /changed +\S+-endpoint-endpoint/);

    assert.match(await berth("stop"), /stopped .* its model and configuration stay/);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*start it again/);
    assert.match(await berth("up"), /stopped; start it with/);
    assert.match(await berth("start"), /is in service/);

    await pass(31 * 3600);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*the endpoint has ended/);
    assert.match(await berth("start"), /The lease of "local-endpoint-life" ended/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });

  it("answers at once by a component, rests, is woken by a question, and ends with it", async () => {
    await settings("components");
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    assert.match(await berth("up"), /done +0 steps/);
    await pass(1000);
    await until(async () => (await berth("status")).includes("that would start an instance"), 120);
    const answer = await berth("invoke", "hello", "--max-tokens", "2");
    assert.match(answer, /waits +no copy of the model runs[\s\S]*\w/);
    assert.match(await berth("stop"), /has its model from an inference component/);

    await pass(31 * 3600);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*the endpoint has ended/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });
});
