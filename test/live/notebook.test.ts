import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { firstNotebook } from "../../components/notebook/first-notebook.ts";
import { startCloud } from "../../offline/cloud/cloud.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import { notebookOf } from "../../scripts/commands/notebook.ts";
import {
  firstNotebookName,
  startNotebook,
  stopNotebook,
  type RunningNotebook,
} from "../../scripts/notebook/host-notebook.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { Hosting, servingContainer } from "../offline/cloud/hosting.ts";
import { hostOn } from "../provider/support/host.ts";
import { freePort, needsSshd, startSshd, type TestSshd } from "../provider/support/sshd.ts";
import { startStreamingServer, type StreamingServer } from "../scripts/load/streaming-server.ts";
import { Started } from "../support/tier.ts";

const run = promisify(execFile);
const idleCheck = new URL("../../components/gpu-host/idle-check.sh", import.meta.url).pathname;

interface Executed {
  readonly cells: readonly {
    readonly id: string;
    readonly outputs?: readonly { readonly text?: readonly string[] }[];
  }[];
}

function printed({ cells }: Executed, id: string): string {
  const cell = cells.find((one) => one.id === id);
  return (cell?.outputs ?? []).flatMap(({ text }) => text ?? []).join("");
}

describe("a notebook on a host", function () {
  // JupyterLab is installed from PyPI, as on a host.
  this.timeout(600_000);
  const started = new Started();
  let sshd: TestSshd;
  let model: StreamingServer;
  let host: Host;
  let place: { readonly dataFolder: string; readonly port: number };
  let tunnel: { readonly port: number; readonly close: () => void };
  let running: RunningNotebook;
  let notebook: string;

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    model = started.use(await startStreamingServer(() => ({ tokenMs: 5 })));
    host = hostOn(sshd);
    place = { dataFolder: "/opt/berth", port: await freePort() };
    tunnel = await (await host.session()).forward(place.port);
    const settings = `IDLE_MINUTES=30\nSERVER_PORT=1\nSSH_PORT=1\n`;
    await mkdir(join(sshd.root, "etc/berth"), { recursive: true });
    await writeFile(join(sshd.root, "etc/berth/idle"), settings);
    const outputs = { url: new URL(model.baseUrl).origin, plan: { modelId: "tiny" } };
    notebook = firstNotebook(notebookOf(outputs, "us-east-1"));
    running = await startNotebook(host, place, { notebook, tunnel: tunnel.port });
  });
  after(async () => {
    await stopNotebook(host, place).catch(() => undefined);
    tunnel.close();
    host.close();
    Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
    await started.stop();
  });

  const ask = (path: string, token: string, method = "GET") =>
    fetch(`http://127.0.0.1:${tunnel.port}/api/${path}`, {
      method,
      headers: { authorization: `token ${token}`, connection: "close" },
    });
  const venv = () => join(running.workFolder, "..", "venv", "bin");

  async function execute(file: string, environment: Readonly<Record<string, string>> = {}) {
    const words = ["execute", "--inplace", file];
    await run(join(venv(), "jupyter"), words, { env: { ...process.env, ...environment } });
    return JSON.parse(await readFile(file, "utf8")) as Executed;
  }

  it("answers through the tunnel to its token alone, which nobody else on the host can read", async () => {
    assert.equal((await ask("kernels", running.token)).status, 200);
    assert.equal((await ask("kernels", "wrong")).status, 403);
    assert.match(running.token, /^[0-9a-f]{64}$/);
    const { mode } = await stat(join(running.workFolder, "..", "token"));
    assert.equal(mode & 0o077, 0);
    const { stdout } = await run("ps", ["-eo", "args"]);
    assert.ok(stdout.includes(`--port=${place.port}`));
    assert.ok(!stdout.includes(running.token));
  });

  it("is left alone by a second start, and so are notebooks that somebody changed", async () => {
    const file = join(running.workFolder, firstNotebookName);
    assert.equal(await readFile(file, "utf8"), notebook);
    await writeFile(file, `${notebook}\n`);
    const again = await startNotebook(host, place, { notebook, tunnel: tunnel.port });
    assert.equal(again.started, false);
    assert.equal(again.token, running.token);
    assert.equal(await readFile(file, "utf8"), `${notebook}\n`);
  });

  it("has a first notebook that asks the model, and says how fast it was", async () => {
    const executed = await execute(join(running.workFolder, firstNotebookName));
    assert.equal(printed(executed, "ask").trim(), Array(128).fill("word").join(" "));
    assert.match(
      printed(executed, "measure"),
      /^first part after \d+\.\d\d s, \d+\.\d parts a second/,
    );
    assert.equal(model.asked.at(-1)?.prompt, "The harbour at night");
  });

  it("keeps the host from being ended as idle while a kernel works, and no longer", async () => {
    const bin = join(sshd.folder, "bin");
    await mkdir(bin);
    const fakes = { "nvidia-smi": "echo 0", ss: "true", shutdown: "true" };
    for (const [name, text] of Object.entries(fakes)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    await writeFile(join(sshd.folder, "loadavg"), "0.1 0.1 0.1 1/100 999\n");
    const PATH = `${bin}:${process.env["PATH"] ?? ""}`;
    const env = { PATH, BERTH_ROOT: sshd.root, BERTH_PROC: sshd.folder };
    const look = async () => (await run("sh", [idleCheck], { env })).stdout.trim();
    assert.match(await look(), /^idle/);
    const kernel = (await (await ask("kernels", running.token, "POST")).json()) as { id: string };
    const state = async () =>
      (
        (await (await ask(`kernels/${kernel.id}`, running.token)).json()) as {
          execution_state: string;
        }
      ).execution_state;
    const address = `ws://127.0.0.1:${tunnel.port}/api/kernels/${kernel.id}/channels?token=${running.token}`;
    const socket = new WebSocket(address);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    while ((await state()) !== "idle") await sleep(100);
    assert.match(await look(), /^idle/);
    const header = {
      msg_id: "1",
      msg_type: "execute_request",
      username: "",
      session: "1",
      version: "5.3",
    };
    const content = { code: "import time; time.sleep(300)", silent: false };
    socket.send(
      JSON.stringify({ channel: "shell", header, parent_header: {}, metadata: {}, content }),
    );
    while ((await state()) !== "busy") await sleep(100);
    assert.equal(await look(), "in use: a kernel of a notebook works");
    socket.close();
    assert.equal(await look(), "in use: a kernel of a notebook works");
    await ask(`kernels/${kernel.id}`, running.token, "DELETE");
    assert.match(await look(), /^idle/);
  });

  it("asks a SageMaker endpoint with boto3", async () => {
    const servingImages = [{ repository: "fixture", command: servingContainer }];
    const cloud = started.use(await startCloud({ tier: "none", servingImages }));
    const hosting = new Hosting(cloud);
    await hosting.makeWeights("weights");
    await hosting.makeModel("told");
    await hosting.makeConfig("told");
    await hosting.create("told");
    await hosting.untilStatus("told", "InService");
    await run(join(venv(), "python"), ["-m", "pip", "install", "--quiet", "boto3==1.43.11"]);
    const file = join(running.workFolder, "endpoint.ipynb");
    const first = notebookOf({ endpointName: "told", plan: { modelId: "told" } }, "us-east-1");
    await writeFile(file, firstNotebook(first));
    const { endpoint, credentials } = settingsFor(cloud);
    const executed = await execute(file, {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
    assert.equal(printed(executed, "ask").trim(), "echo: The harbour at night");
  });

  it("is stopped with its kernels, and its files stay", async () => {
    await stopNotebook(host, place);
    await assert.rejects(ask("kernels", running.token));
    await stat(join(running.workFolder, firstNotebookName));
  });
});
