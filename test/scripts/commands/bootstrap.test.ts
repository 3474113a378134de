import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deepLearningImage } from "../../components/bootstrap/host-facts.ts";
import { needsSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";
import { Started } from "../../support/tier.ts";

// Imported as the commands import each other, so that there is one UserError; see run-berth.test.ts.
let cli: typeof import("../../../scripts/cli/run-berth.ts");

async function berth(...words: readonly string[]) {
  let [out, err] = ["", ""];
  const sinks = {
    out: (text: string) => (out += text),
    err: (text: string) => (err += text),
    interactive: false,
  };
  const code = await cli.runBerth(["bootstrap", ...words], sinks);
  return { code, out, err };
}

describe("berth bootstrap", () => {
  let folder: string;
  before(async () => {
    cli = await import("../../../scripts/cli/run-berth.ts");
    folder = await mkdtemp(join(tmpdir(), "berth-bootstrap-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function recorded(text: string): Promise<string> {
    const file = join(folder, "facts");
    await writeFile(file, text);
    return file;
  }

  it("says what it would do to a host whose facts were recorded", async () => {
    const file = await recorded(deepLearningImage.replace(/^python=.*/m, "python=3.10.12"));
    const { code, out } = await berth("--facts", file, "--torch", "2.0");
    assert.equal(code, 0);
    assert.match(out, /driver {3}preinstalled: driver 580\.126\.09 answers/);
    assert.match(out, /python +PyTorch 2\.0, CUDA 11\.8/);
    const told = await berth("--facts", file, "--json");
    const plan = JSON.parse(told.out) as { plan: { driver: { strategy: string } } };
    assert.equal(plan.plan.driver.strategy, "preinstalled");
  });

  it("brings the Python that the PyTorch takes, and says what would help where there is none to bring", async () => {
    const asked = async (text: string) => berth("--facts", await recorded(text), "--torch", "2.0");
    const brought = await asked(deepLearningImage);
    assert.equal(brought.code, 0);
    assert.match(
      brought.out,
      /python +CPython 3\.11\S+ of python-build-standalone, by its SHA-256/,
    );
    const { code, out } = await asked(deepLearningImage.replace("x86_64", "riscv64"));
    assert.equal(code, 1);
    assert.match(
      out,
      /E_CUDA_COMPAT: PyTorch 2\.0 with CUDA 11\.8 has no package for Python 3\.12/,
    );
    assert.match(out, /another PyTorch release, or use a system with another Python\./);
  });

  it("ends with 1 where the host would be refused", async () => {
    const file = await recorded(deepLearningImage);
    const { code, out } = await berth("--facts", file, "--gpu", "H100");
    assert.equal(code, 1);
    assert.match(out, /E_GPU_MODEL: the GPU on the PCI bus is a A10G, and H100 is expected/);
  });

  it("talks to no host without its key, and says all that is wrong at once", async () => {
    const { code, err } = await berth("--host", "192.0.2.1", "--known-host-key", "AAAA");
    assert.equal(code, 1);
    assert.match(err, /--host must be user@address/);
    assert.match(err, /--known-host-key must be the host's public key/);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["--gpus", "-1", /--gpus must be a number of GPUs/],
    ["--driver-branch", "new", /--driver-branch must be a branch such as 580/],
    ["--modules", "both", /--modules must be open or closed/],
  ];
  for (const [flag, value, message] of wrong) {
    it(`takes no ${flag} ${value}`, async () => {
      const { code, err } = await berth("--facts", await recorded(deepLearningImage), flag, value);
      assert.equal(code, 1);
      assert.match(err, message);
    });
  }

  describe("on a host", () => {
    let sshd: TestSshd;
    const started = new Started();
    before(async function () {
      needsSshd(this);
      const bin = join(folder, "bin");
      sshd = started.use(await startSshd({ PATH: `${bin}:/usr/bin:/bin` }));
      await mkdir(bin, { recursive: true });
      await mkdir(join(sshd.root, "etc"), { recursive: true });
      await writeFile(join(sshd.root, "etc/berth-emulated"), "");
      await writeFile(
        join(bin, "nvidia-smi"),
        '#!/bin/sh\necho "0, NVIDIA L4, GPU-aa, 23034, 580.126.09"\n',
      );
      await chmod(join(bin, "nvidia-smi"), 0o755);
      process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
    });
    after(() => started.stop());

    const words = (key = sshd.hostKey) => [
      ...["--host", `${sshd.user}@127.0.0.1:${sshd.port}`, "--known-host-key", key],
      ...["--engine", "none", "--data-folder", "/data"],
    ];

    it("changes nothing in a dry run", async () => {
      const { code, out } = await berth(...words(), "--dry-run");
      assert.equal(code, 0, out);
      assert.match(out, /GPUs {5}1 x NVIDIA L4 \(emulated\)/);
      assert.deepEqual(await readdir(sshd.root), ["etc"]);
    });

    it("makes it ready, and finds it so the second time", async () => {
      const first = await berth(...words());
      assert.equal(first.code, 0, first.err);
      assert.match(first.out, /prepare done in [^]*verify already so in .*CUDA: emulated/);
      const second = await berth(...words());
      assert.doesNotMatch(second.out, / done in /);
    });

    it("sends nothing to a host with another key", async () => {
      const other =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxRjHW1GTAKEPGIXyUuQQAqqXNn3IcpMuUzqVjTVmFO";
      const { code, err } = await berth(...words(other));
      assert.equal(code, 1);
      assert.match(err, /shows a host key other than the pinned one/);
    });
  });
});
