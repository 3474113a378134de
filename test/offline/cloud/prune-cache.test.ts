import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markUsed, pruneCache } from "../../../offline/cloud/prune-cache.ts";

describe("pruneCache", () => {
  const saved = process.env["XDG_CACHE_HOME"];
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "berth-cache-"));
    process.env["XDG_CACHE_HOME"] = root;
  });
  after(async () => {
    if (saved === undefined) Reflect.deleteProperty(process.env, "XDG_CACHE_HOME");
    else process.env["XDG_CACHE_HOME"] = saved;
    await rm(root, { recursive: true });
  });

  it("removes what is built once and was not used for a month, and nothing else", async () => {
    const now = new Date("2026-11-26T00:00:00Z");
    const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
    const used = {
      ...{ "image-bookworm-old": 31, "image-bookworm-new": 29, "moto-5.0.0": 400 },
      ...{ "image-trixie-x.making": 40, engines: 400, clouds: 400 },
    };
    for (const [name, days] of Object.entries(used)) {
      const path = join(root, "berth", name);
      await mkdir(join(path, "content"), { recursive: true });
      await markUsed(path, daysAgo(days));
    }
    assert.deepEqual((await pruneCache(now)).toSorted(), ["image-bookworm-old", "moto-5.0.0"]);
    assert.deepEqual((await readdir(join(root, "berth"))).toSorted(), [
      ...["clouds", "engines", "image-bookworm-new", "image-trixie-x.making"],
    ]);
  });
});
