import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { SshError } from "../../../provider/adapters/ssh-error.ts";
import { SshSession } from "../../../provider/adapters/ssh-session.ts";
import type { SshThrough } from "../../../provider/adapters/ssh-way.ts";
import { knownHostsText, runSsh } from "../../../scripts/adapters/ssh.ts";
import { Started } from "../../support/tier.ts";
import { freePort, generateKey, needsSshd, startSshd, type TestSshd } from "../support/sshd.ts";

/** Carries standard input and output to a port, as Session Manager's plugin does. */
const pipe = `import net from "node:net";
const socket = net.connect(Number(process.argv[3]), process.argv[2]);
socket.on("error", (error) => { console.error("TargetNotConnected: " + error.code); process.exit(255); });
process.stdin.pipe(socket).pipe(process.stdout);
socket.on("close", () => process.exit(0));
`;

describe("A host that is reached through something else", () => {
  let bastion: TestSshd;
  let host: TestSshd;
  let program: string;
  const started = new Started();
  before(async function () {
    needsSshd(this);
    bastion = started.use(await startSshd({ PLACE: "bastion" }));
    host = started.use(await startSshd({ PLACE: "host" }));
    // One key opens both, as an operator's does.
    const key = ssh2.utils.parseKey(host.clientKey);
    assert.ok(!(key instanceof Error));
    const mine = `${key.type} ${key.getPublicSSH().toString("base64")}\n`;
    await writeFile(join(bastion.folder, "authorized_keys"), mine);
    program = join(host.folder, "pipe.mjs");
    await writeFile(program, pipe);
  });
  after(() => started.stop());

  const endpoint = (through: SshThrough, change: object = {}) => ({
    ...{ host: "127.0.0.1", port: host.port, user: host.user, hostKeys: [host.hostKey] },
    through,
    ...change,
  });
  const jump = (change: object = {}) => ({
    ...{ host: "127.0.0.1", port: bastion.port, user: bastion.user, hostKey: bastion.hostKey },
    ...change,
  });
  const command = (): SshThrough => ({ command: [process.execPath, program, "%h", "%p"] });
  const connect = (through: SshThrough, change: object = {}) =>
    SshSession.connect(endpoint(through, change), { privateKey: host.clientKey });

  async function place(session: SshSession): Promise<string> {
    const { stdout } = await session.exec("echo $PLACE", { timeoutMs: 10_000 });
    session.close();
    return stdout.trim();
  }

  it("is logged in to over a bastion and over a program, with its own key pinned", async () => {
    assert.equal(await place(await connect(jump())), "host");
    assert.equal(await place(await connect(command())), "host");
  });

  it("is not reached over a bastion that shows another key, nor believed with another key itself", async () => {
    const other = generateKey().publicKey;
    const kind = (failure: string) => (error: unknown) =>
      error instanceof SshError && error.failure === failure;
    await assert.rejects(connect(jump({ hostKey: other })), kind("host-key"));
    await assert.rejects(connect(jump(), { hostKeys: [other] }), kind("host-key"));
    await assert.rejects(connect(command(), { hostKeys: [other] }), kind("host-key"));
  });

  it("says what the program said, and which bastion does not reach it", async () => {
    const port = await freePort();
    await assert.rejects(connect(command(), { port }), /TargetNotConnected: ECONNREFUSED/);
    await assert.rejects(connect(jump(), { port }), /@127\.0\.0\.1 does not reach 127\.0\.0\.1/);
    const none = { command: ["/no/such/program"] };
    await assert.rejects(connect(none), /\/no\/such\/program could not be started/);
  });

  it("leaves no program behind", async () => {
    const session = await connect(command());
    const running = () => execFileSync("ps", ["-eo", "args"]).toString().split(program).length - 1;
    assert.equal(running(), 1);
    session.close();
    while (running() > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  });

  it("is logged in to by the system's ssh the same way", async () => {
    const target = {
      address: "127.0.0.1",
      port: host.port,
      user: host.user,
      hostKey: host.hostKey,
    };
    const environment = { BERTH_SSH_PRIVATE_KEY: host.clientKey };
    const session = { command: ["echo $PLACE"], capture: true, environment };
    for (const through of [jump(), command()]) {
      const { code, stdout, stderr } = await runSsh({ ...target, through }, session);
      assert.equal(code, 0, stderr);
      assert.equal(stdout.trim(), "host");
    }
    const stranger = jump({ hostKey: generateKey().publicKey });
    assert.notEqual((await runSsh({ ...target, through: stranger }, session)).code, 0);
    assert.equal(
      knownHostsText({ ...target, through: jump() })
        .trim()
        .split("\n").length,
      4,
    );
  });
});
