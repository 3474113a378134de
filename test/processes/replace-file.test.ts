import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { replaceFile } from "../../processes/replace-file.ts";

describe("replaceFile", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-replace-"));
    path = join(folder, "file");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const modeOf = async (): Promise<number> => (await stat(path)).mode & 0o777;

  it("makes a new file with the mode that is asked for", async () => {
    await replaceFile(path, "new", 0o600);
    assert.deepEqual([await readFile(path, "utf8"), await modeOf()], ["new", 0o600]);
  });

  for (const mode of [0o600, 0o640, 0o664]) {
    it(`keeps the mode ${mode.toString(8)} that its owner gave it`, async () => {
      await writeFile(path, "old");
      await chmod(path, mode);
      await replaceFile(path, "new");
      assert.deepEqual([await readFile(path, "utf8"), await modeOf()], ["new", mode]);
    });
  }

  it("replaces the file that a link leads to, and leaves the link", async () => {
    const elsewhere = join(folder, "elsewhere");
    await writeFile(elsewhere, "old");
    await symlink(elsewhere, path);
    await replaceFile(path, "new");
    assert.equal(await readFile(elsewhere, "utf8"), "new");
    assert.ok((await lstat(path)).isSymbolicLink());
  });

  it("leaves nothing behind where it fails", async () => {
    await assert.rejects(replaceFile(folder, "new"));
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => name.startsWith(`${basename(folder)}.`)),
      [],
    );
  });
});
