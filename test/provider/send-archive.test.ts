import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { sendArchive, type Archive } from "../../provider/ensure-node.ts";
import { Started } from "../support/tier.ts";
import { hostOn } from "./support/host.ts";
import { needsSshd, startSshd, type TestSshd } from "./support/sshd.ts";

describe("sendArchive", () => {
  const started = new Started();
  let sshd: TestSshd;
  let folder: string;
  let archive: Archive;
  before(async function () {
    needsSshd(this);
    folder = await mkdtemp(join(tmpdir(), "berth-archive-"));
    started.use({ stop: () => rm(folder, { recursive: true }) });
    // What bash reads for a command that comes over SSH, and else when no terminal is there.
    const greeting = "echo The setup is done: welcome\n";
    await writeFile(join(folder, ".bashrc"), greeting);
    await writeFile(join(folder, "startup"), greeting);
    const startup = { HOME: folder, BASH_ENV: join(folder, "startup") };
    sshd = started.use(await startSshd(startup));
    const packed = gzipSync("a program\n");
    const path = join(folder, "program.gz");
    await writeFile(path, packed);
    const sha256 = createHash("sha256").update(packed).digest("hex");
    archive = { kind: "file", path, sha256 };
  });
  after(() => started.stop());

  it("sends it once, to a host whose startup files greet whoever comes", async () => {
    const host = hostOn(sshd);
    const target = join(sshd.folder, "bin/program");
    const command = await host.run("bash -c true", () => ({ timeoutMs: 30_000 }));
    assert.match(command.stdout, /welcome/);
    assert.equal(await sendArchive(host, archive, target), true);
    assert.equal(await readFile(target, "utf8"), "a program\n");
    assert.equal(await sendArchive(host, archive, target), false);
    host.close();
  });

  it("leaves what is there when what arrives is another one", async () => {
    const host = hostOn(sshd);
    const target = join(sshd.folder, "bin/other");
    await assert.rejects(
      sendArchive(host, { ...archive, sha256: "0".repeat(64) }, target),
      /what arrived is damaged: SHA-256 \w{64}/,
    );
    await assert.rejects(readFile(target), /ENOENT/);
    host.close();
  });
});
