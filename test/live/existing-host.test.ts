import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeOnPath } from "../provider/support/host.ts";
import {
  freePort,
  generateKey,
  needsSshd,
  startSshd,
  type TestSshd,
} from "../provider/support/sshd.ts";
import { Started } from "../support/tier.ts";
import { ExistingHostStack } from "./existing-host-stack.ts";

/** A machine behind a real sshd, taken with the command line alone: no account, no Pulumi CLI. */
describe("berth on a machine that is there already", function () {
  this.timeout(600_000);
  const started = new Started();
  let stack: ExistingHostStack;
  let sshd: TestSshd;
  let port: number;

  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd(nodeOnPath));
    port = await freePort();
    stack = started.use(await ExistingHostStack.make("dev-existing", sshd));
  });
  after(async () => {
    await started.stop();
  });

  it("is written down with the key that is believed", async () => {
    const words = ["init", "--model", "demo-llama-60m", "--owner", "ada@example.org"];
    const machine = ["--host", `${sshd.user}@127.0.0.1:${sshd.port}`, "--gpus", "none"];
    const rest = ["--weights-folder", join(stack.folder, "model"), "--set", `serverPort=${port}`];
    const wrong = await stack.berth(...words, ...machine, "--host-key", "AAAA", ...rest);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /berth:hostKey: must be the machine's own public key/);
    const key = ["--host-key", join(stack.folder, "machine.pub")];
    const { code, out, err } = await stack.berth(...words, ...machine, ...key, ...rest);
    assert.equal(code, 0, err);
    assert.match(out, /It will be .*@127\.0\.0\.1/);
  });

  it("is taken, filled and served from, with no account", async () => {
    const { code, out, err } = await stack.berth("up");
    assert.equal(code, 0, out + err);
    assert.match(out, /made +dev-existing-\d+-machine/);
    assert.match(out, /weights: \d+ files \(.*\) are there; sent/);
    const again = await stack.berth("up");
    assert.equal(again.code, 0, again.err);
    assert.doesNotMatch(again.out, /^ +(made|changed|replaced) /m);
  });

  it("answers status, invoke and ssh", async () => {
    const status = await stack.berth("status");
    assert.match(status.out, /machine .* answers \(over SSH\)\nanswers +yes/);
    const answer = await stack.berth("invoke", "Hello", "--max-tokens", "3", "--json");
    assert.equal(answer.code, 0, answer.err);
    assert.equal((JSON.parse(answer.out) as { tokens: number }).tokens, 3);
    const shell = await stack.berth("ssh", "--", "cat", '"$BERTH_ROOT/opt/berth/deployment"');
    assert.match(shell.out, new RegExp(`^${stack.name} [0-9a-f]{12}\n$`));
  });

  it("is not believed under another key", async () => {
    const text = await readFile(stack.file, "utf8");
    await writeFile(
      stack.file,
      text.replace(/berth:hostKey: .*/, `berth:hostKey: ${generateKey().publicKey}`),
    );
    const { code, out, err } = await stack.berth("up");
    await writeFile(stack.file, text);
    assert.equal(code, 3);
    assert.match(out + err, /shows a host key other than the pinned one/);
  });

  it("has no lease to extend", async () => {
    const { code, err } = await stack.berth("extend", "4h");
    assert.equal(code, 1);
    assert.match(err, /has no lease/);
  });

  it("is given back without anything of berth's, once it answers again", async () => {
    const refused = await stack.berth("down");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /Give --yes/);
    const { code, out, err } = await stack.berth("down", "--yes");
    assert.equal(code, 0, out + err);
    assert.match(out, /stays +nothing of berth's/);
    assert.equal(existsSync(join(sshd.root, "opt/berth")), false);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
    assert.equal((await stack.berth("down", "--yes")).code, 1);
  });
});
