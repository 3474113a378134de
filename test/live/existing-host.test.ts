import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository, stackFilePath } from "../../scripts/adapters/repository.ts";
import { writeDemoModel } from "../../scripts/demo/model/write-model.ts";
import { nodeOnPath } from "../provider/support/host.ts";
import {
  freePort,
  generateKey,
  hasSshd,
  startSshd,
  type TestSshd,
} from "../provider/support/sshd.ts";
import { needs, Started } from "../support/tier.ts";

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A machine behind a real sshd, taken with the command line alone: no account, no Pulumi CLI. */
describe("berth on a machine that is there already", function () {
  this.timeout(180_000);
  const stack = `dev-existing-${process.pid}`;
  const started = new Started();
  let folder: string;
  let sshd: TestSshd;
  let port: number;

  function berth(...words: readonly string[]): Promise<Ended> {
    const env = {
      ...process.env,
      // Nothing of an account may be asked: whatever tried would fail here.
      AWS_ENDPOINT_URL: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_EC2_METADATA_DISABLED: "true",
      HOME: folder,
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      BERTH_SSH_KEY_FILE: join(folder, "key"),
      BERTH_SSH_PRIVATE_KEY: undefined,
    };
    const [command = "", ...rest] = words;
    const engine = command === "init" ? [] : ["--engine", "offline"];
    const args = [command, "--env", stack, ...engine, ...rest];
    return new Promise((resolve) => {
      execFile(join(repository, "scripts/bin/berth"), args, { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  before(async function () {
    needs(this, "sshd", hasSshd(), "/usr/sbin/sshd is not there; install openssh-server");
    folder = await mkdtemp(join(tmpdir(), "berth-existing-"));
    sshd = started.use(await startSshd(nodeOnPath));
    port = await freePort();
    await writeDemoModel(join(folder, "model"));
    await writeFile(join(folder, "key"), sshd.clientKey, { mode: 0o600 });
    await writeFile(join(folder, "machine.pub"), `${sshd.hostKey} root@machine\n`);
  });
  after(async () => {
    await started.stop();
    await rm(folder, { recursive: true, force: true });
    await rm(stackFilePath(stack), { force: true });
  });

  it("is written down with the key that is believed", async () => {
    const words = ["init", "--model", "demo-llama-60m", "--owner", "ada@example.org"];
    const machine = ["--host", `${sshd.user}@127.0.0.1:${sshd.port}`, "--gpus", "none"];
    const rest = ["--weights-folder", join(folder, "model"), "--set", `serverPort=${port}`];
    const wrong = await berth(...words, ...machine, "--host-key", "AAAA", ...rest);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /berth:hostKey: must be the machine's own public key/);
    const key = ["--host-key", join(folder, "machine.pub")];
    const { code, out, err } = await berth(...words, ...machine, ...key, ...rest);
    assert.equal(code, 0, err);
    assert.match(out, /It will be .*@127\.0\.0\.1/);
  });

  it("is taken, filled and served from, with no account", async () => {
    const { code, out, err } = await berth("up");
    assert.equal(code, 0, out + err);
    assert.match(out, /made +dev-existing-\d+-machine/);
    assert.match(out, /weights: \d+ files \(.*\) are there; sent/);
    const again = await berth("up");
    assert.equal(again.code, 0, again.err);
    assert.doesNotMatch(again.out, /^ +(made|changed|replaced) /m);
  });

  it("answers status, invoke and ssh", async () => {
    const status = await berth("status");
    assert.match(status.out, /machine .* answers \(over SSH\)\nanswers +yes/);
    const answer = await berth("invoke", "Hello", "--max-tokens", "3", "--json");
    assert.equal(answer.code, 0, answer.err);
    assert.equal((JSON.parse(answer.out) as { tokens: number }).tokens, 3);
    const shell = await berth("ssh", "--", "cat", '"$BERTH_ROOT/opt/berth/deployment"');
    assert.match(shell.out, new RegExp(`^${stack} [0-9a-f]{12}\n$`));
  });

  it("is not believed under another key", async () => {
    const file = stackFilePath(stack);
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace(/berth:hostKey: .*/, `berth:hostKey: ${generateKey().publicKey}`),
    );
    const { code, out, err } = await berth("up");
    await writeFile(file, text);
    assert.equal(code, 3);
    assert.match(out + err, /shows a host key other than the pinned one/);
  });

  it("has no lease to extend", async () => {
    const { code, err } = await berth("extend", "4h");
    assert.equal(code, 1);
    assert.match(err, /has no lease/);
  });

  it("is given back without anything of berth's, once it answers again", async () => {
    const refused = await berth("down");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /Give --yes/);
    const { code, out, err } = await berth("down", "--yes");
    assert.equal(code, 0, out + err);
    assert.match(out, /stays +nothing of berth's/);
    assert.equal(existsSync(join(sshd.root, "opt/berth")), false);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
    assert.equal((await berth("down", "--yes")).code, 1);
  });
});
