import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import builds from "../../components/bootstrap/compatibility/python-builds.json" with { type: "json" };
import { pythonPackages } from "../../components/bootstrap/python-engines.ts";
import { compareVersions } from "../../components/compare-versions.ts";
import { vllmRelease } from "../../components/catalogue/vllm-release.ts";
import { requirementsText } from "../../components/training/software-pins.ts";

const run = promisify(execFile);

/** A resolver that reads the metadata of packages and not the packages, which weigh gigabytes. */
const resolver = "uv==0.13.9";

/** Python of Ubuntu 22.04, Debian 12, Ubuntu 24.04 and Debian 13. */
const systems = ["3.10", "3.11", "3.12", "3.13"] as const;

describe("The pinned packages of Python, by PyPI of today", function () {
  this.timeout(180_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-pins-"));
    await run("python3", ["-m", "venv", join(folder, "venv")]);
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", resolver];
    await run(join(folder, "venv/bin/python"), pip);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What would be installed, wheels alone, one NAME==VERSION a line. */
  async function resolve(name: string, text: string, python: string): Promise<string> {
    const file = join(folder, `${name}-${python}.txt`);
    await writeFile(file, text);
    // The glibc of Amazon Linux 2023, the oldest of the systems; guidance for answers in JSON asks for 2.31.
    const platform = ["--python-platform", "x86_64-manylinux_2_34", "--python-version", python];
    const args = ["pip", "compile", "-q", "--no-build", "--no-annotate", "--no-header"];
    const cache = ["--cache-dir", join(folder, "cache")];
    const { stdout } = await run(join(folder, "venv/bin/uv"), [
      ...args,
      ...cache,
      ...platform,
      file,
    ]);
    return stdout;
  }
  const lines = (packages: readonly string[]) => packages.map((each) => `${each}\n`).join("");

  it("fit each other for each engine, on each system's Python", async () => {
    const { version, torch, packages } = vllmRelease;
    await Promise.all(
      systems.map(async (python) => {
        const wish = lines([`vllm==${version}`, ...packages]);
        if (compareVersions(python, vllmRelease.python) < 0) {
          await assert.rejects(resolve("vllm", wish, python), /Python>=3\.11/);
        } else {
          const vllm = await resolve("vllm", wish, python);
          assert.match(vllm, new RegExp(`^torch==${torch.replace(".", "\\.")}\\.`, "m"), python);
        }
        for (const engine of ["transformers", "diffusers"]) {
          const wanted = pythonPackages(engine) ?? [];
          const found = (await resolve(engine, lines(wanted), python)).split("\n");
          for (const each of wanted) assert.ok(found.includes(each), `${each} on ${python}`);
        }
      }),
    );
  });

  it("have their Pythons by the sums that uv installs the same archives by", async () => {
    const tree = join(folder, "python/bin");
    await mkdir(tree, { recursive: true });
    await writeFile(join(tree, "python3"), "none of them");
    const archive = join(folder, "python.tar.gz");
    await run("tar", ["-czf", archive, "-C", folder, "python"]);
    const content = await readFile(archive);
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const mirror = `http://127.0.0.1:${port}`;
    const places = { UV_PYTHON_INSTALL_MIRROR: mirror, UV_PYTHON_INSTALL_DIR: join(folder, "uv") };
    try {
      for (const { version, architecture, sha256 } of builds.rows) {
        const name = `cpython-${version}-linux-${architecture}-gnu`;
        // It gets another file, and says which one it expects.
        const installing = run(join(folder, "venv/bin/uv"), ["python", "install", name], {
          env: { ...process.env, ...places },
        });
        await assert.rejects(installing, new RegExp(`Expected:\\s+${sha256}\\s`));
        const file = `cpython-${version}%2B${builds.release}-${architecture}-unknown-linux-gnu-install_only_stripped.tar.gz`;
        assert.equal(asked.pop(), `/${builds.release}/${file}`);
      }
    } finally {
      server.close();
    }
  });

  // DeepSpeed is not among them: PyPI has its source alone.
  it("fit each other for a training, from Python 3.11 on", async () => {
    const software = { pytorch: "2.14", cuda: "13.0", minLinuxDriver: undefined };
    const text = requirementsText(software, { bitsandbytes: true, deepspeed: false });
    const wanted = text.split("\n").filter((line) => line.includes("=="));
    for (const python of ["3.11", "3.12", "3.13"]) {
      const found = (await resolve("training", text, python)).split("\n");
      for (const each of wanted) assert.ok(found.includes(each), `${each} on ${python}`);
    }
    await assert.rejects(resolve("training", text, "3.10"), /Python>=3\.11/);
  });
});
