import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { runDetached } from "../../provider/detached-step.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";
import { Started } from "../support/tier.ts";
import { CutProxy } from "./support/cut-proxy.ts";
import { hostOn } from "./support/host.ts";
import { end, needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

const run = promisify(execFile);

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Runs one of the scripts of `provider/remote` here, as it runs on a host without systemd. */
async function remote(
  name: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input = "",
): Promise<string> {
  const child = spawn("bash", ["-c", remoteScript(name), "step", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, BERTH_ROOT: "/", ...environment },
  });
  child.stdin.end(input);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child, "close");
  return output;
}

describe("A detached step", () => {
  let sshd: TestSshd;
  const started = new Started();
  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
  });
  after(() => started.stop());

  const step = (
    name: string,
    script: string,
    changes: { timeoutSeconds?: number; args?: string[] } = {},
  ) => ({
    name,
    script,
    args: [],
    folder: join(sshd.folder, "steps"),
    timeoutSeconds: 20,
    ...changes,
  });

  it("tells its lines and its status", async () => {
    const host = hostOn(sshd);
    const result = await runDetached(
      host,
      step("lines", 'echo "$1"; echo wrong >&2; printf last; exit 7', { args: ["a b"] }),
    );
    assert.equal(result.code, 7);
    assert.deepEqual(result.lines, ["a b", "wrong", "last"]);
    host.close();
  });

  it("hands over a log larger than one look takes", async () => {
    const host = hostOn(sshd);
    const result = await runDetached(host, step("long", "seq 100000"));
    assert.equal(result.lines.length, 100_000);
    assert.equal(result.lines.at(-1), "100000");
    host.close();
  });

  it("goes on when the link is cut", async () => {
    const proxy = new CutProxy(sshd.port);
    const host = hostOn(sshd, { port: await proxy.start() });
    const log = join(sshd.folder, "cut-runs");
    const running = runDetached(host, step("cut", `echo once >> '${log}'; sleep 1.5; echo done`));
    setTimeout(() => {
      proxy.cut();
    }, 700);
    assert.deepEqual((await running).lines, ["done"]);
    assert.equal(await readFile(log, "utf8"), "once\n");
    host.close();
    await proxy.stop();
  });

  it("outlives a client that is killed, and a second one follows it", async () => {
    const log = join(sshd.folder, "killed-runs");
    const script = `echo once >> '${log}'; sleep 3; echo done`;
    const client = `
      import { runDetached } from ${JSON.stringify(join(import.meta.dirname, "../../provider/detached-step.ts"))};
      import { hostOn } from ${JSON.stringify(join(import.meta.dirname, "support/host.ts"))};
      await runDetached(hostOn(${JSON.stringify({ port: sshd.port, user: sshd.user, hostKey: sshd.hostKey, clientKey: sshd.clientKey })}), ${JSON.stringify(step("killed", script))});
    `;
    const file = join(sshd.folder, "client.mts");
    await writeFile(file, client);
    const tsx = pathToFileURL(
      join(import.meta.dirname, "../../node_modules/tsx/dist/loader.mjs"),
    ).href;
    const child = spawn(process.execPath, ["--import", tsx, file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    while ((await readFile(log, "utf8").catch(() => "")) === "") await sleep(50);
    await end(child);
    const host = hostOn(sshd);
    const result = await runDetached(host, step("killed", script));
    assert.deepEqual(result.lines, ["done"]);
    assert.equal(await readFile(log, "utf8"), "once\n");
    host.close();
  });

  it("is started again when it vanished, and given up after the third time", async () => {
    const host = hostOn(sshd);
    const log = join(sshd.folder, "vanishing-runs");
    // It kills the process that would note its exit status, as a reboot or the kernel would.
    const script = `echo once >> '${log}'; kill -9 $PPID; exit 1`;
    await assert.rejects(runDetached(host, step("vanishing", script)), /was killed on .* 3 times/);
    assert.equal(await readFile(log, "utf8"), "once\nonce\nonce\n");
    host.close();
  });

  it("is followed from its start on a host that is seconds in coming to it", async () => {
    const bin = join(sshd.folder, "slow-bin");
    await mkdir(bin);
    await writeFile(join(bin, "setsid"), "#!/bin/sh\nexec sleep 7\n", { mode: 0o755 });
    const folder = join(sshd.folder, "steps", "late");
    await remote("start-step.sh", [folder, sha256(""), "first"], { PATH: `${bin}:/usr/bin:/bin` });
    assert.match(await remote("poll-step.sh", [folder, "0"]), /^running /);
    await remote("poll-step.sh", [folder, "0", "stop"]);
  });

  it("is followed while its process is still root's, before systemd gives it to its user", async () => {
    // The temporary folder of a run of the tests is its user's alone.
    const folder = await mkdtemp("/dev/shm/berth-roots-");
    try {
      await chmod(folder, 0o755);
      const stat = await readFile("/proc/1/stat", "utf8");
      const since = stat.replace(/.*\) /s, "").split(" ")[19] ?? "";
      const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
      await writeFile(join(folder, "process"), `1 ${since} ${boot}\n`);
      await writeFile(join(folder, "log"), "said\n");
      const words = ["-c", remoteScript("poll-step.sh"), "poll", folder, "0"];
      // Of a process of another user, and root may signal all.
      const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const { stdout } = await run("bash", words, { ...nobody, cwd: "/" });
      assert.equal(stdout, "running - 5\nsaid\n");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("runs once where its start is asked for again since the answer was lost", async () => {
    const folder = join(sshd.folder, "steps", "once");
    const log = join(sshd.folder, "once-runs");
    const script = `echo once >>'${log}'`;
    const start = (run: string) =>
      remote("start-step.sh", [folder, sha256(script), run], {}, script);
    assert.equal(await start("first"), "started\n");
    assert.match(await remote("poll-step.sh", [folder, "0"]), /^done 0 /);
    assert.equal(await start("first"), "attached\n");
    assert.equal(await readFile(log, "utf8"), "once\n");
    assert.equal(await start("second"), "started\n");
    assert.match(await remote("poll-step.sh", [folder, "0"]), /^done 0 /);
    assert.equal(await readFile(log, "utf8"), "once\nonce\n");
  });

  it("is stopped when its time is over", async () => {
    const host = hostOn(sshd);
    const pid = join(sshd.folder, "slow-pid");
    const slow = step("slow", `echo $$ > '${pid}'; echo waiting; sleep 60`, { timeoutSeconds: 1 });
    await assert.rejects(runDetached(host, slow), /did not end within 1 s/);
    const stopped = Number(await readFile(pid, "utf8"));
    while (alive(stopped)) await sleep(100);
    host.close();
  });
});
