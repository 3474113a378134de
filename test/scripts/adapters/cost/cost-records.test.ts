import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunRecord } from "../../../../components/cost/usage.ts";
import { rememberLook } from "../../../../scripts/adapters/cost/cost-records.ts";

const region = "us-east-1";

function run(runId: string, to?: string): RunRecord {
  const from = "2026-11-01T00:00:00Z";
  const price = { from, hourlyUsd: 1 };
  const instance = { kind: "instance", resourceId: `i-${runId}`, type: "g6.xlarge" } as const;
  const identity = { runId, stack: "dev", env: "dev", owner: "alice", model: "m", region };
  return {
    ...identity,
    charges: [],
    usages: [{ ...instance, units: 1, span: { from, to }, prices: [price] }],
  };
}

describe("the records of runs", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-runs-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Every record as a reader without any lock finds it. */
  async function peek(): Promise<readonly unknown[]> {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
    return texts.map((text) => JSON.parse(text) as unknown);
  }

  it("keep every run of several looks at once, and are whole at every moment", async () => {
    const over = new AbortController();
    const reader = (async () => {
      let looks = 0;
      for (; !over.signal.aborted; looks += 1) await peek();
      return looks;
    })();
    const runs = ["a", "b", "c", "d", "e"].map((id) => run(id));
    const seenAt = "2026-11-01T02:00:00Z";
    await Promise.all(runs.map((each) => rememberLook(folder, { runs: [each], seenAt }, [region])));
    over.abort();
    assert.ok((await reader) > 0);
    assert.equal((await peek()).length, 5);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => !name.endsWith(".json")),
      [],
    );
  });

  it("are not set back by a look that took longer than a later one", async () => {
    const ended = "2026-11-01T03:00:00Z";
    const later = { runs: [run("a", ended)], seenAt: "2026-11-01T03:10:00Z" };
    await rememberLook(folder, later, [region]);
    const slow = { runs: [run("a")], seenAt: "2026-11-01T02:00:00Z" };
    const { records } = await rememberLook(folder, slow, [region]);
    assert.deepEqual(records, [run("a", ended)]);
    const none = { runs: [], seenAt: "2026-11-01T05:00:00Z" };
    const again = await rememberLook(folder, none, [region]);
    assert.equal(again.records[0]?.usages[0]?.span.to, ended);
  });

  it("survive a process that was killed while it wrote", async () => {
    const module = new URL("../../../../scripts/adapters/cost/cost-records.ts", import.meta.url)
      .href;
    const look = JSON.stringify({ runs: [run("a"), run("b")], seenAt: "2026-11-01T02:00:00Z" });
    const script = `
      import { rememberLook } from ${JSON.stringify(module)};
      for (let round = 0; ; round += 1) {
        await rememberLook(${JSON.stringify(folder)}, ${look}, ["${region}"]);
        if (round === 0) process.stdout.write("writes");
      }`;
    const args = ["--import", "tsx", "--input-type=module", "--eval", script];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal((await peek()).length, 2);
    const next = { runs: [run("c")], seenAt: "2026-11-01T04:00:00Z" };
    const { records, unanswered } = await rememberLook(folder, next, [region]);
    assert.equal(records.length, 3);
    assert.deepEqual(unanswered, []);
  });

  it("put aside what cannot be read, and say where it is", async () => {
    await writeFile(join(folder, "torn.json"), '{"record":');
    const look = { runs: [run("a")], seenAt: "2026-11-01T02:00:00Z" };
    const { records, unanswered } = await rememberLook(folder, look, [region]);
    assert.equal(records.length, 1);
    assert.match(unanswered[0] ?? "", /torn\.json\.unreadable cannot be read/);
  });
});
