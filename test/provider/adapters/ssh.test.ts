import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import ssh2 from "ssh2";
import { sshCredentials } from "../../../provider/adapters/ssh-credentials.ts";
import { SshSession } from "../../../provider/adapters/ssh-session.ts";
import { SshError } from "../../../provider/adapters/ssh-error.ts";
import { Started } from "../../support/tier.ts";
import { CutProxy } from "../support/cut-proxy.ts";
import { hostOn } from "../support/host.ts";
import { freePort, generateKey, needsSshd, startSshd, type TestSshd } from "../support/sshd.ts";

function failure(kind: string) {
  return (error: unknown) => error instanceof SshError && error.failure === kind;
}

describe("Host over a real sshd", () => {
  let sshd: TestSshd;
  const started = new Started();
  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
  });
  after(() => started.stop());

  it("runs a script with its arguments as they are", async () => {
    const host = hostOn(sshd);
    const words = ["a b", "it's", "$HOME", "*", ""];
    assert.equal(
      await host.output(`printf '<%s>' "$@"`, words),
      words.map((word) => `<${word}>`).join(""),
    );
    host.close();
  });

  it("logs in with the key where an agent holds none, and with the agent where it holds the key", async () => {
    const agent = spawn("ssh-agent", ["-D", "-a", join(sshd.folder, "agent")], { stdio: "ignore" });
    const socket = join(sshd.folder, "agent");
    const endpoint = {
      host: "127.0.0.1",
      port: sshd.port,
      user: sshd.user,
      hostKeys: [sshd.hostKey],
    };
    try {
      while (!existsSync(socket)) await pause(20);
      await assert.rejects(SshSession.connect(endpoint, { agent: socket }), failure("auth"));
      const both = { agent: socket, privateKey: sshd.clientKey };
      (await SshSession.connect(endpoint, both)).close();
      execFileSync("ssh-add", ["-"], {
        input: sshd.clientKey,
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: ["pipe", "ignore", "ignore"],
      });
      const stranger = { agent: socket, privateKey: generateKey().privateKey };
      (await SshSession.connect(endpoint, stranger)).close();
    } finally {
      agent.kill();
    }
  });

  it("refuses another host key at once", async () => {
    const began = Date.now();
    const host = hostOn(sshd, {
      hostKeys: [generateKey().publicKey],
      patience: { connectMs: 60_000 },
    });
    await assert.rejects(host.session(), failure("host-key"));
    assert.ok(Date.now() - began < 30_000);
  });

  it("runs more commands at once than a connection has channels", async () => {
    const host = hostOn(sshd);
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, i) => host.output('echo "$1"', [String(i)])),
    );
    assert.deepEqual(
      all.map(Number),
      Array.from({ length: 12 }, (_, i) => i),
    );
    host.close();
  });

  it("gives up a command that hangs, and goes on with the next", async () => {
    const host = hostOn(sshd);
    await assert.rejects(host.script("sleep 60", { timeoutMs: 300 }), failure("timeout"));
    assert.equal(await host.output("echo still here"), "still here\n");
    host.close();
  });

  it("never takes a command without an exit status for a success", async () => {
    const host = hostOn(sshd);
    await assert.rejects(host.script("kill -9 $$", { timeoutMs: 5000 }), failure("lost"));
    host.close();
  });

  it("makes a new connection when the old one is cut under a command", async () => {
    const proxy = new CutProxy(sshd.port);
    const host = hostOn(sshd, { port: await proxy.start() });
    await host.session();
    const answer = host.output("sleep 0.4; echo done");
    setTimeout(() => {
      proxy.cut();
    }, 150);
    assert.equal(await answer, "done\n");
    assert.equal(proxy.connections, 2);
    host.close();
    await proxy.stop();
  });

  it("notices a link that went silent by its keepalive", async () => {
    const proxy = new CutProxy(sshd.port);
    const timing = { readyTimeoutMs: 20_000, keepaliveMs: 100 };
    const host = hostOn(sshd, { port: await proxy.start(), patience: { connectMs: 4000, timing } });
    await host.session();
    proxy.freeze(true);
    timing.readyTimeoutMs = 1000;
    const began = Date.now();
    await assert.rejects(host.script("echo hello", { timeoutMs: 80_000 }), SshError);
    assert.ok(Date.now() - began < 60_000);
    await proxy.stop();
  });

  it("waits for a machine that is still booting", async () => {
    const late = await freePort();
    const proxy = new CutProxy(sshd.port);
    const target = await proxy.start();
    const host = hostOn(sshd, { port: late });
    const session = host.session();
    const { createServer: listen, connect } = await import("node:net");
    const server = listen((socket) => socket.pipe(connect(target, "127.0.0.1")).pipe(socket));
    setTimeout(() => server.listen(late, "127.0.0.1"), 700);
    await session;
    host.close();
    server.close();
    await proxy.stop();
  });

  it("puts files whole or not at all", async () => {
    const host = hostOn(sshd);
    const path = join(sshd.folder, "deep", "file.bin");
    const content = Buffer.alloc(3_000_000, "berth");
    await host.put(content, path, "600");
    assert.ok((await readFile(path)).equals(content));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    host.close();
  });

  it("carries connections to a port of the host's loopback", async () => {
    const server = createServer((_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = hostOn(sshd);
    const session = await host.session();
    const forward = await session.forward((server.address() as AddressInfo).port);
    const answer = await fetch(`http://127.0.0.1:${String(forward.port)}/`);
    assert.equal(await answer.text(), "hello");
    forward.close();
    host.close();
    server.closeAllConnections();
    server.close();
  });
});

describe("Host over an in-process server", () => {
  it("tells a host with another key nothing, not even who wants in", async () => {
    const real = generateKey();
    let logins = 0;
    const server = new ssh2.Server({ hostKeys: [real.privateKey] }, (client) => {
      client.on("authentication", (context) => {
        logins += 1;
        context.accept();
      });
      client.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const target = { port, user: "ubuntu", clientKey: generateKey().privateKey };
    const host = hostOn({ ...target, hostKey: generateKey().publicKey });
    await assert.rejects(host.session(), failure("host-key"));
    assert.equal(logins, 0);
    server.close();
  });

  it("says so when the key is refused", async () => {
    const real = generateKey();
    const server = new ssh2.Server({ hostKeys: [real.privateKey] }, (client) => {
      client.on("authentication", (context) => {
        context.reject();
      });
      client.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const target = {
      port,
      user: "ubuntu",
      clientKey: generateKey().privateKey,
      hostKey: real.publicKey,
    };
    const host = hostOn(target, { patience: { connectMs: 3000 } });
    await assert.rejects(host.session(), failure("auth"));
    server.close();
  });
});

describe("sshCredentials", () => {
  it("prefers the environment's key, and says which file cannot be read", async () => {
    const { privateKey } = generateKey();
    assert.deepEqual(
      await sshCredentials({ BERTH_SSH_PRIVATE_KEY: privateKey, SSH_AUTH_SOCK: "/s" }),
      {
        privateKey: privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`,
      },
    );
    await assert.rejects(
      sshCredentials({ BERTH_SSH_KEY_FILE: "/nowhere" }),
      /\/nowhere cannot be read/,
    );
  });

  it("takes the file that is named before an agent, and the usual file beside one", async () => {
    const home = await mkdtemp(join(tmpdir(), "berth-home-"));
    const { privateKey } = generateKey();
    await mkdir(join(home, ".ssh"));
    await writeFile(join(home, "named"), privateKey);
    const agent = { SSH_AUTH_SOCK: "/run/agent" };
    const named = { ...agent, BERTH_SSH_KEY_FILE: join(home, "named") };
    assert.deepEqual(await sshCredentials(named, home), { privateKey });
    assert.deepEqual(await sshCredentials(agent, home), { agent: "/run/agent" });
    await writeFile(join(home, ".ssh", "id_ed25519"), privateKey);
    assert.deepEqual(await sshCredentials(agent, home), { privateKey, agent: "/run/agent" });
    await rm(home, { recursive: true });
  });

  it("refuses what is not a private key in OpenSSH's form", async () => {
    await assert.rejects(
      sshCredentials({ BERTH_SSH_PRIVATE_KEY: "nonsense" }),
      failure("credentials"),
    );
  });
});
