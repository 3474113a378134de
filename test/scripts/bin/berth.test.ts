import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

interface NodeVersion {
  readonly isGood: (version: string) => boolean;
}

describe("scripts/bin/berth", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-bin-"));
    for (const part of ["scripts/bin/berth", "scripts/setup/node-version.mjs"]) {
      cpSync(join(repository, part), join(folder, part));
    }
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function start(path: string) {
    const script = join(folder, "scripts/bin/berth");
    return spawnSync("sh", [script, "plan"], { env: { PATH: path }, encoding: "utf8" });
  }

  it("says when the packages are missing, and where to put them", () => {
    const { status, stderr } = start("/usr/bin:/bin");
    assert.equal(status, 1);
    assert.match(stderr, /not installed\.\n {2}Run npm ci in .*berth-bin-/);
  });

  it("goes no further than the Node's own refusal", () => {
    const loader = join(folder, "node_modules/tsx/dist/loader.mjs");
    mkdirSync(dirname(loader), { recursive: true });
    writeFileSync(loader, "");
    const bin = join(folder, "path");
    mkdirSync(bin);
    // Stands for a Node that is too old: it is asked once, and says so.
    writeFileSync(join(bin, "node"), '#!/bin/sh\necho "asked $*" >&2\nexit 1\n', { mode: 0o755 });
    const { status, stderr } = start(`${bin}:/usr/bin:/bin`);
    assert.equal(status, 1);
    assert.match(stderr, /^asked \S+scripts\/setup\/node-version\.mjs\n$/);
  });

  it("is told of a Node that is too old through a linked folder too", () => {
    const link = join(folder, "link");
    symlinkSync(join(folder, "scripts"), link);
    const program = join(folder, "scripts/setup/node-version.mjs");
    const text = readFileSync(program, "utf8");
    // No Node of this machine need be too old, so that this copy finds none new enough.
    writeFileSync(program, text.replace("isGood(version) {", "isGood(version) {\n  return false;"));
    const run = (path: string) => spawnSync(process.execPath, [path], { encoding: "utf8" });
    for (const path of [program, join(link, "setup/node-version.mjs")]) {
      const { status, stderr } = run(path);
      assert.equal(status, 1, path);
      assert.match(
        stderr,
        /^This is Node .*, and berth needs 22\.21, or 24\.5 and newer\.\n {2}Install/,
      );
    }
  });

  it("knows the versions of package.json", async () => {
    const path = new URL("../../../scripts/setup/node-version.mjs", import.meta.url).href;
    const { isGood } = (await import(path)) as NodeVersion;
    const good = ["v22.21.0", "v24.5.0", "v24.21.0", "v25.0.0"];
    const old = ["v18.20.0", "v20.20.2", "v22.20.0", "v23.11.0", "v24.4.1"];
    assert.deepEqual(good.filter(isGood), good);
    assert.deepEqual(old.filter(isGood), []);
  });
});
