import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";

let room: typeof import("../../../offline/cloud/room.ts");
before(async () => {
  room = await import("../../../offline/cloud/room.ts");
});

const cache = { path: join(tmpdir(), "not", "there", "yet"), setting: "XDG_CACHE_HOME" };
const state = { path: tmpdir(), setting: "TMPDIR" };

describe("room on the disk", () => {
  it("is there for a little", async () => {
    await room.requireRoom([
      { ...cache, bytes: 1 },
      { ...state, bytes: 0 },
    ]);
  });

  it("is asked for in sum where folders share a disk, and the error says how to go elsewhere", async () => {
    const needs = [
      { ...cache, bytes: 1 },
      { ...state, bytes: 1e18 },
    ];
    const problem = await room.requireRoom(needs).catch((error: unknown) => error);
    assert.ok(problem instanceof Error && "hint" in problem);
    assert.match(problem.message, /1 MB in \S+not\/there\/yet and 1000000000000 MB in/);
    assert.match(problem.message, /needed, \d+ MB free/);
    assert.match(String(problem.hint), /XDG_CACHE_HOME or TMPDIR/);
  });
});
