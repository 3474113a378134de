import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newEd25519Key } from "../../../components/ed25519-key.ts";
import { probeHost, readProbe } from "../../../scripts/dashboard/probe-host.ts";
import { sshdOfSuite } from "../../provider/support/sshd.ts";

describe("host-probe.sh", () => {
  let root: string;
  let server: Server;
  let status = 200;
  before(async () => {
    server = createServer((request, response) => {
      response.writeHead(request.url === "/health" ? status : 404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(() => server.close());
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "berth-probe-"));
    mkdirSync(join(root, "bin"));
    driver("echo 'NVIDIA A10G, 63, 18000, 23028'; echo 'NVIDIA A10G, [N/A], 4, 23028'");
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function driver(script: string): void {
    const file = join(root, "bin", "nvidia-smi");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  function step(name: string, files: Readonly<Record<string, string>>, writtenAt = 1): void {
    const folder = join(root, "opt/berth/steps", name);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    utimesSync(join(folder, "log"), writtenAt, writtenAt);
  }

  /** Runs it as it is run over SSH: as the standard input of a shell. */
  async function probe(port = String((server.address() as AddressInfo).port)) {
    const child = spawn("bash", ["-s", "--", "/opt/berth", port], {
      env: { PATH: `${root}/bin:${process.env["PATH"] ?? ""}`, BERTH_ROOT: root },
    });
    child.stdin.end(readFileSync("scripts/dashboard/host-probe.sh"));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    return readProbe(output);
  }

  it("tells each GPU, and leaves out what its driver does not say", async () => {
    const { gpus } = await probe();
    assert.deepEqual(
      gpus.map(({ name, utilisation, memoryUsedMiB }) => [name, utilisation, memoryUsedMiB]),
      [
        ["NVIDIA A10G", 63, 18_000],
        ["NVIDIA A10G", undefined, 4],
      ],
    );
    driver("exit 9");
    assert.deepEqual((await probe()).gpus, []);
  });

  it("tells the health of the model server by its answer", async () => {
    assert.equal((await probe()).health, 200);
    status = 503;
    assert.equal((await probe()).health, 503);
    assert.equal((await probe("1")).health, 0);
    assert.equal((await probe("-")).health, undefined);
  });

  it("tells which step is done, runs or was cut off, the latest of each name, with its last words", async () => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const since = readFileSync(`/proc/${process.pid}/stat`, "utf8")
      .replace(/.*\) /, "")
      .split(" ")[19];
    const alive = `${process.pid} ${since ?? ""} ${boot}\n`;
    step("prepare-0a", { log: "old\n", exit: "1\n" }, 1);
    step("prepare-0b", { log: "ready \u001b[31mnow\n@changed yes\n", exit: "0\n" }, 2);
    step("driver-0c", { log: "making\n", process: `${process.pid} 1 ${boot}\n` }, 3);
    const log = '@progress {"ready":1,"total":8}\n@progress {"ready":2,"total":8}\n';
    step("weights-0d", { log, process: alive }, 4);
    step("verify-0e", { log: "" }, 5);
    assert.deepEqual((await probe()).steps, [
      { name: "prepare", state: "done", code: 0, lastLine: "ready [31mnow", progress: undefined },
      { name: "driver", state: "gone", code: 0, lastLine: "making", progress: undefined },
      {
        name: "weights",
        state: "running",
        code: 0,
        lastLine: "",
        progress: { ready: 2, total: 8 },
      },
      { name: "verify", state: "running", code: 0, lastLine: "", progress: undefined },
    ]);
  });

  it("tells of an idle stop, which a look would put off", async () => {
    assert.equal((await probe()).idleStop, false);
    mkdirSync(join(root, "etc/berth"), { recursive: true });
    writeFileSync(join(root, "etc/berth/idle"), "IDLE_MINUTES=60\n");
    assert.equal((await probe()).idleStop, true);
  });
});

describe("readProbe", () => {
  it("passes over what a login prints, and progress that was cut off", () => {
    const output = 'Welcome\n@step weights running - 5\n@progress {"ready":\n@last half\n';
    assert.deepEqual(readProbe(output).steps, [
      { name: "weights", state: "running", code: 0, lastLine: "half", progress: undefined },
    ]);
  });
});

describe("probeHost", () => {
  const sshd = sshdOfSuite();
  const connection = (hostKey: string) => {
    return { host: "127.0.0.1", port: sshd().port, user: sshd().user, hostKey };
  };

  it("looks at a host over SSH", async () => {
    const step = join(sshd().root, "opt/berth/steps/prepare-0a");
    mkdirSync(step, { recursive: true });
    writeFileSync(join(step, "log"), "ready\n");
    writeFileSync(join(step, "exit"), "0\n");
    const { steps, health } = await probeHost(connection(sshd().hostKey), undefined);
    assert.deepEqual([steps[0]?.name, steps[0]?.state, health], ["prepare", "done", undefined]);
  });

  it("believes no other key than the pinned one", async () => {
    const other = newEd25519Key().publicKey;
    await assert.rejects(probeHost(connection(other), undefined), /host key/);
  });
});
