import assert from "node:assert/strict";
import fs from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const engine = join(import.meta.dirname, "../../../../provider/remote/sync");
const { stageFile } = (await import(pathToFileURL(join(engine, "stage-file.mjs")).href)) as {
  stageFile: (path: string, room: Buffer, size: number, mode: number) => Promise<number>;
};
const { CrcMemory } = (await import(pathToFileURL(join(engine, "crc-kernel.mjs")).href)) as {
  CrcMemory: new (bytes: number) => { view(offset: number, length: number): Buffer };
};
const size = 100_000;

describe("stageFile", () => {
  let folder: string;
  let path: string;
  // Whole pages, from a page's start.
  const room = new CrcMemory(25 * 4096).view(0, 25 * 4096);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-stage-"));
    path = join(folder, "0.whole");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("writes the bytes of a file, and none of its last page's rest", async () => {
    const mtimeMs = await stageFile(path, room.fill(7), size, 0o640);
    assert.deepEqual(await readFile(path), Buffer.alloc(size, 7));
    assert.equal(fs.statSync(path).mtimeMs, mtimeMs);
  });

  it("is refused where the end of the file fails, as over a quota of a server", async () => {
    const close = fs.closeSync;
    fs.closeSync = (fd) => {
      close(fd);
      throw Object.assign(new Error("EDQUOT: close"), { code: "EDQUOT" });
    };
    try {
      await assert.rejects(stageFile(path, room, size, 0o640), /EDQUOT/);
    } finally {
      fs.closeSync = close;
    }
  });
});
