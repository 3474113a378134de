import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execFileAsync = promisify(execFile);
const script = new URL("../../../components/gpu-host/idle-check.sh", import.meta.url).pathname;

/** What the fakes at the last boundary say. */
interface Readings {
  readonly gpu: string;
  readonly connected: readonly number[];
  readonly metrics: string;
  /** What the notebook server is asked with. */
  readonly kernels: string;
  readonly load: number;
  /** Minutes since the test began. */
  readonly minute: number;
}

const quiet: Readings = {
  gpu: "echo 0",
  connected: [],
  metrics: "",
  kernels: "exit 7",
  load: 0.1,
  minute: 0,
};

describe("idle-check.sh", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "berth-idle-"));
    for (const folder of ["etc/berth", "bin", "proc"])
      await mkdir(join(root, folder), { recursive: true });
    const settings = "IDLE_MINUTES=30\nSERVER_PORT=8000\nSSH_PORT=22\n";
    await writeFile(join(root, "etc/berth/idle"), settings);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function look(change: Partial<Readings> = {}): Promise<string> {
    const { gpu, connected, metrics, kernels, load, minute } = { ...quiet, ...change };
    const fakes = {
      "nvidia-smi": gpu,
      ss: connected.map((port) => `case "$*" in *":${port} )"*) echo "0 0 a b";; esac`).join("\n"),
      curl: `case "$*" in */api/kernels) ${kernels}; exit ;; esac\ncat <<'END'\n${metrics}\nEND`,
      date: `echo ${1_800_000_000 + minute * 60}`,
      shutdown: 'echo "ENDED"',
    };
    for (const [name, text] of Object.entries(fakes)) {
      const file = join(root, "bin", name);
      await writeFile(file, `#!/bin/sh\n${text}\n`);
      await chmod(file, 0o755);
    }
    await writeFile(join(root, "proc/loadavg"), `${load} 0.2 0.3 1/100 999\n`);
    const PATH = `${join(root, "bin")}:${process.env["PATH"] ?? ""}`;
    const env = { PATH, BERTH_ROOT: root, BERTH_PROC: join(root, "proc") };
    const { stdout } = await execFileAsync("sh", [script], { env });
    return stdout.trim();
  }

  it("marks at the first sight, and ends a host that was idle at every look since", async () => {
    assert.equal(await look(), "idle: marked");
    assert.equal(await look({ minute: 29 }), "idle for 29 min of 30");
    assert.match(await look({ minute: 30 }), /ENDED/);
  });

  it("begins anew after any use in between", async () => {
    await look();
    assert.match(await look({ minute: 20, gpu: "echo 97" }), /in use: a GPU works/);
    assert.equal(await look({ minute: 31 }), "idle: marked");
    assert.doesNotMatch(await look({ minute: 60 }), /ENDED/);
    assert.match(await look({ minute: 61 }), /ENDED/);
  });

  for (const [what, change] of [
    ["the second of two GPUs works", { gpu: "printf '0\\n50\\n'" }],
    ["somebody is logged in", { connected: [22] }],
    ["a request is under way", { connected: [8000] }],
    ["its processors work", { load: 3.2 }],
    ["the GPUs cannot be asked", { gpu: "exit 9" }],
    ["the GPUs give no number", { gpu: "echo '[N/A]'" }],
  ] as const) {
    it(`sees that ${what}`, async () => {
      await look();
      assert.match(await look({ ...change, minute: 100 }), /^in use/);
    });
  }

  it("sees requests between two looks by the server's own count", async () => {
    const metrics = (count: number) =>
      `# TYPE x counter\nvllm:request_success_total{a="b"} ${count}`;
    await look({ metrics: metrics(5) });
    assert.match(await look({ metrics: metrics(6), minute: 40 }), /in use: the server was asked/);
  });

  it("counts a notebook's kernel that works, and none that waits or has ended", async () => {
    await writeFile(join(root, "token"), "secret");
    const notebook = `NOTEBOOK_PORT=8888\nNOTEBOOK_TOKEN=${join(root, "token")}\n`;
    await writeFile(join(root, "etc/berth/notebook"), notebook);
    const states = (...each: readonly string[]) =>
      `echo '${JSON.stringify(each.map((execution_state) => ({ execution_state })))}'`;
    await look();
    assert.match(await look({ minute: 40, kernels: states("idle", "busy") }), /in use: a kernel/);
    assert.match(await look({ minute: 41, kernels: "echo forbidden" }), /cannot be asked/);
    assert.equal(await look({ minute: 42, kernels: states("idle") }), "idle: marked");
    assert.equal(await look({ minute: 50, kernels: states() }), "idle for 8 min of 30");
    assert.match(await look({ minute: 72, kernels: "exit 7" }), /ENDED/);
  });

  it("ends nothing that is protected, or that has no settings", async () => {
    await writeFile(join(root, "etc/berth/protected"), "");
    await look();
    assert.equal(await look({ minute: 100 }), "");
    await rm(join(root, "etc/berth/protected"));
    await rm(join(root, "etc/berth/idle"));
    assert.equal(await look({ minute: 100 }), "");
    await assert.rejects(readFile(join(root, "run/berth-idle/since")));
  });
});
