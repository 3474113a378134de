import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unknown, type Properties } from "../../provider/plugin/values.ts";
import { vllmRelease } from "../../components/catalogue/vllm-release.ts";
import { Started } from "../support/tier.ts";
import { nodeOnPath } from "./support/host.ts";
import { PluginClient } from "./support/plugin-client.ts";
import { S3Server } from "./support/s3-server.ts";
import { end, freePort, generateKey, needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

const lease = {
  startedAt: "2026-11-24T03:00:00Z",
  expiresAt: "",
  owner: "ada@example.org",
  runId: "0123456789ab",
};

describe("The berth plugin", () => {
  let plugin: PluginClient;
  before(async () => {
    plugin = await PluginClient.start({});
  });
  after(() => plugin.stop());

  it("knows a lease already in a preview", async () => {
    const preview = await plugin.create("Lease", lease, { preview: true });
    assert.equal(preview.id, "");
    assert.deepEqual(preview.outputs, lease);
    assert.deepEqual((await plugin.create("Lease", lease)).outputs, lease);
  });

  it("keeps a host key's private half secret, even where it came as a plain text", async () => {
    const created = await plugin.create("HostKey", {
      privateKey: "k",
      publicKey: "ssh-ed25519 AAAA",
    });
    assert.deepEqual([...created.secrets], ["privateKey"]);
    assert.deepEqual(created.outputs, { privateKey: "k", publicKey: "ssh-ed25519 AAAA" });
  });

  it("keeps any input secret that came as one", async () => {
    const created = await plugin.create("Lease", lease, { secrets: ["owner"] });
    assert.deepEqual([...created.secrets], ["owner"]);
  });

  it("names every wrong input, and lets pass what is not known yet", async () => {
    const inputs = {
      connection: unknown,
      instanceId: unknown,
      gpu: { model: "L4", count: -1 },
      engine: "tgi",
      dataFolder: "berth",
      colour: 1,
    };
    const failures = await plugin.check("HostBootstrap", inputs);
    const properties = failures.map((failure) => failure.split(":")[0]);
    assert.deepEqual(properties.toSorted(), ["colour", "dataFolder", "engine", "gpu.count"]);
  });

  it("has unknown outputs for what only the host can tell", async () => {
    const inputs = {
      connection: unknown,
      instanceId: unknown,
      gpu: { model: "L4", count: 1 },
      engine: "vllm",
      dataFolder: "/d",
    };
    const { outputs } = await plugin.create("HostBootstrap", inputs, { preview: true });
    assert.equal(outputs["verified"], unknown);
    assert.equal(outputs["connection"], unknown);
  });

  it("replaces for another instance, updates for another port", async () => {
    const connection = { host: "h", port: 22, user: "u", hostKey: "ssh-ed25519 A" };
    const base = {
      connection,
      instanceId: "i-1",
      engine: "vllm",
      modelId: "m",
      weightsFolder: "/d/weights/m",
      port: 8000,
      contextTokens: 64,
    };
    const olds = {
      ...base,
      url: "http://127.0.0.1:8000",
      answeredAt: "2026-11-24T03:00:00Z",
      unit: "u",
    };
    assert.equal((await plugin.diff("ModelServer", olds, base)).changes, false);
    assert.deepEqual(await plugin.diff("ModelServer", olds, { ...base, port: 8001 }), {
      changes: true,
      keys: ["port"],
      replaces: [],
    });
    assert.deepEqual(
      (await plugin.diff("ModelServer", olds, { ...base, instanceId: "i-2" })).replaces,
      ["instanceId"],
    );
    assert.equal(
      (await plugin.diff("ModelServer", { ...olds, answeredAt: "" }, base)).changes,
      true,
    );
  });

  it("refuses a type it does not have by name", async () => {
    await assert.rejects(
      plugin.create("Yacht", {}),
      /unknown resource type berth:index:Yacht; this plugin has berth:index:Lease/,
    );
  });

  it("ends when the engine that started it is gone", async () => {
    const executable = join(import.meta.dirname, "../../provider/pulumi-resource-berth");
    const engine = spawn("bash", ["-c", `'${executable}' & echo "$!"; wait`], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    engine.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    while (output.split("\n").length < 3) await sleep(30);
    const pid = Number(output.split("\n")[0]);
    await end(engine);
    while (alive(pid)) await sleep(100);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Stands in for vLLM: answers completions, or fails as its scenario file says. */
const fakeServer = `#!/usr/bin/env node
const { createServer } = require("node:http");
const { existsSync } = require("node:fs");
const args = process.argv.slice(2);
const port = Number(args[args.indexOf("--port") + 1]);
if (existsSync(__dirname + "/out-of-memory")) { console.error("CUDA out of memory"); process.exit(1); }
setTimeout(() => createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ choices: [{ text: " there" }] }));
}).listen(port, "127.0.0.1"), 300);
`;

describe("The berth plugin on a host", () => {
  let sshd: TestSshd;
  const started = new Started();
  let s3: S3Server;
  let plugin: PluginClient;
  let connection: Properties;
  let port: number;
  const dataFolder = "/opt/berth";

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd(nodeOnPath));
    s3 = started.use(new S3Server());
    await s3.start();
    s3.put("m/config.json", Buffer.from("{}"));
    s3.put("m/model.safetensors", Buffer.alloc(2_000_000, 7));
    plugin = started.use(
      await PluginClient.start({
        ...s3.environment,
        BERTH_SSH_PRIVATE_KEY: sshd.clientKey,
        BERTH_STATE_HOME: join(sshd.folder, "state"),
      }),
    );
    connection = { host: "127.0.0.1", port: sshd.port, user: sshd.user, hostKey: sshd.hostKey };
    port = await freePort();
    const engine = join(sshd.root, dataFolder, "engines", `vllm-${vllmRelease.version}`, "bin");
    await mkdir(engine, { recursive: true });
    await writeFile(join(engine, "vllm"), fakeServer);
    await chmod(join(engine, "vllm"), 0o755);
    await writeFile(join(engine, "python"), `#!/bin/sh\necho ${vllmRelease.version}\n`, {
      mode: 0o755,
    });
  });
  after(() => started.stop());

  const bootstrapInputs = () => ({
    connection,
    instanceId: "i-1",
    gpu: { model: "L4", count: 0 },
    engine: "vllm",
    dataFolder,
  });
  const weightsInputs = () => ({
    connection,
    instanceId: "i-1",
    bucket: s3.bucket,
    prefix: "m/",
    region: "us-east-1",
    folder: `${dataFolder}/weights/m`,
  });
  const serverInputs = () => ({
    connection,
    instanceId: "i-1",
    engine: "vllm",
    modelId: "m",
    weightsFolder: `${dataFolder}/weights/m`,
    port,
    contextTokens: 64,
  });
  let bootstrapped: Properties;
  let weights: Properties;
  let server: Properties;

  it("keeps the seeded host key where no sshd of the machine's own serves", async () => {
    const seed = { connection, instanceId: "i-1" };
    const { id, outputs } = await plugin.create("HostKeyRotation", seed);
    assert.equal(outputs["hostKey"], sshd.hostKey);
    assert.deepEqual(await plugin.read("HostKeyRotation", id, outputs), outputs);
    const moved = { ...seed, connection: { ...connection, host: "localhost" } };
    const after = await plugin.update("HostKeyRotation", id, outputs, moved);
    assert.equal(after["hostKey"], sshd.hostKey);
  });

  it("bootstraps and syncs side by side", async () => {
    const [first, second] = await Promise.all([
      plugin.create("HostBootstrap", bootstrapInputs()),
      plugin.create("WeightsSync", weightsInputs()),
    ]);
    bootstrapped = first.outputs;
    weights = second.outputs;
    assert.equal(weights["bytes"], 2_000_002);
    const file = join(sshd.root, dataFolder, "weights", "m", "model.safetensors");
    assert.equal((await readFile(file)).length, 2_000_000);
  });

  it("moves the host's own deadline, and takes it away", async () => {
    const file = join(sshd.root, "etc/berth/deadline");
    const move = (expiresAt: string) =>
      plugin.update("HostBootstrap", "b", bootstrapped, { ...bootstrapInputs(), expiresAt });
    await move("2030-01-01T00:00:00Z");
    assert.equal(await readFile(file, "utf8"), "1893456000\n");
    await move("2030-01-01T01:00:00Z");
    assert.equal(await readFile(file, "utf8"), "1893459600\n");
    await move("");
    await assert.rejects(readFile(file), /ENOENT/);
  });

  it("changes nothing the second time", async () => {
    const gets = s3.gets;
    const again = await plugin.update("HostBootstrap", "b", bootstrapped, bootstrapInputs());
    const steps = again["steps"] as { name: string; changed: boolean }[];
    assert.deepEqual(
      steps.filter(({ changed }) => changed),
      [],
    );
    const synced = await plugin.create("WeightsSync", weightsInputs());
    assert.equal(synced.outputs["manifestSha256"], weights["manifestSha256"]);
    assert.equal(s3.gets, gets);
  });

  /** Another release of the engine, which served before. */
  const olderEngine = async () => {
    const folder = join(sshd.root, dataFolder, "engines/vllm-0.11.0");
    await mkdir(folder, { recursive: true });
    return { isThere: () => existsSync(folder) };
  };

  it("serves the model, says that it answered, and removes the engine that served before", async () => {
    const older = await olderEngine();
    server = (await plugin.create("ModelServer", serverInputs())).outputs;
    assert.equal(server["url"], `http://127.0.0.1:${String(port)}`);
    assert.ok(Date.parse(String(server["answeredAt"])) > 0);
    assert.deepEqual(await plugin.read("ModelServer", "s", server), server);
    assert.equal(older.isThere(), false);
  });

  it("keeps the engine that served before where it is told to", async () => {
    const older = await olderEngine();
    const keeping = { ...serverInputs(), keepOldEngine: true };
    await plugin.update("ModelServer", "s", server, keeping);
    assert.equal(older.isThere(), true);
    await plugin.update("ModelServer", "s", server, serverInputs());
    assert.equal(older.isThere(), false);
  });

  it("sees a file that is gone, and repairs just that", async () => {
    await rm(join(sshd.root, dataFolder, "weights", "m", "config.json"));
    const seen = await plugin.read("WeightsSync", "w", weights);
    assert.ok(seen !== undefined);
    assert.equal((seen["files"] as unknown[]).length, 1);
    assert.equal((await plugin.diff("WeightsSync", seen, weightsInputs())).changes, true);
    s3.sent = 0;
    const repaired = await plugin.update("WeightsSync", "w", seen, weightsInputs());
    assert.equal(s3.sent, 2);
    assert.equal(repaired["manifestSha256"], weights["manifestSha256"]);
  });

  it("sees that the bucket has other weights", async () => {
    s3.put("m/config.json", Buffer.from("[]"));
    const seen = await plugin.read("WeightsSync", "w", weights);
    assert.equal(seen?.["manifestSha256"], "");
  });

  it("stops the server and leaves nothing of it", async () => {
    await plugin.delete("ModelServer", "s", server);
    await assert.rejects(fetch(String(server["url"])));
    await assert.rejects(readFile(join(sshd.root, dataFolder, "model-server", "run.sh")));
  });

  it("names who holds the port", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const taken = (holder.address() as AddressInfo).port;
    await assert.rejects(
      plugin.create("ModelServer", { ...serverInputs(), port: taken }),
      new RegExp(`port ${String(taken)} of the host is in use by process ${String(process.pid)}`),
    );
    await new Promise((resolve) => holder.close(resolve));
  });

  it("shows the last words of a server that does not come up", async () => {
    const flag = join(
      sshd.root,
      dataFolder,
      "engines",
      `vllm-${vllmRelease.version}`,
      "bin",
      "out-of-memory",
    );
    await writeFile(flag, "");
    const older = await olderEngine();
    await assert.rejects(
      plugin.create("ModelServer", serverInputs()),
      /ended on .*CUDA out of memory/s,
    );
    assert.equal(older.isThere(), true, "it can still be gone back to");
    await rm(flag);
  });

  it("refuses a host with another key before it does anything", async () => {
    const stranger = { ...connection, hostKey: generateKey().publicKey };
    await assert.rejects(
      plugin.create("WeightsSync", { ...weightsInputs(), instanceId: "i-9", connection: stranger }),
      /shows a host key other than the pinned one/,
    );
  });

  it("says so when there are no weights", async () => {
    await assert.rejects(
      plugin.create("WeightsSync", { ...weightsInputs(), prefix: "none/" }),
      /there are no weights under s3:\/\/weights\/none\//,
    );
  });
});
