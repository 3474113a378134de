import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isAlive } from "../../../processes/process-alive.ts";
import { cacheFolder } from "../../../offline/cloud/cache-folder.ts";
import { startCloud } from "../../../offline/cloud/cloud.ts";
import { motoPython } from "../../../offline/cloud/moto/environment.ts";
import { OfflineError } from "../../../offline/offline-error.ts";
import { until } from "./account.ts";

const cloudFile = join(import.meta.dirname, "../../../offline/cloud/cloud.ts");

/** A process that starts a cloud in its own way and then waits to be ended. */
const owner = `
  const { startCloud } = await import(${JSON.stringify(cloudFile)});
  const cloud = await startCloud({ tier: "none" });
  const { readdirSync, readFileSync } = await import("node:fs");
  const { cacheFolder } = await import(${JSON.stringify(join(import.meta.dirname, "../../../offline/cloud/cache-folder.ts"))});
  const file = readdirSync(cacheFolder() + "/clouds").find((name) => name.startsWith(process.pid + "-"));
  console.log(readFileSync(cacheFolder() + "/clouds/" + file, "utf8"));
  setInterval(() => undefined, 1000);
`;

describe("a cloud's lifetime", () => {
  /** A cache of this test's own, so that no other process clears up before it does; moto is the user's. */
  let cache: string;
  const { XDG_CACHE_HOME: userCache } = process.env;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "berth-cache-test-"));
    await motoPython(() => undefined);
    const shared = cacheFolder();
    await mkdir(join(cache, "berth"));
    for (const name of readdirSync(shared).filter((each) => /^moto-[\d.]+$/.test(each))) {
      await symlink(join(shared, name), join(cache, "berth", name));
    }
    process.env["XDG_CACHE_HOME"] = cache;
  });

  afterEach(async () => {
    restore("XDG_CACHE_HOME", userCache);
    await rm(cache, { recursive: true, force: true });
  });

  it("takes moto along when its owner is killed, and the next start clears up its files", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", owner], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { motoPid, folder } = JSON.parse(line) as { motoPid: number; folder: string };
    assert.ok(isAlive(motoPid));
    child.kill("SIGKILL");
    await until(() => Promise.resolve(!isAlive(motoPid)));
    assert.ok(existsSync(folder));
    const lines: string[] = [];
    const next = await startCloud({ tier: "none", log: (text) => lines.push(text) });
    await next.stop();
    assert.ok(!existsSync(folder));
    assert.ok(lines.some((text) => text.includes("clearing up")));
  });

  it("runs side by side with another, and stops twice", async () => {
    const [a, b] = await Promise.all([startCloud({ tier: "none" }), startCloud({ tier: "none" })]);
    assert.notEqual(a.endpoint, b.endpoint);
    await a.stop();
    await a.stop();
    assert.deepEqual(await b.leftovers(), []);
    await b.stop();
    await assert.rejects(fetch(b.endpoint));
  });

  it("says what to install when there is no Python", async () => {
    const { BERTH_PYTHON } = process.env;
    process.env["XDG_CACHE_HOME"] = join(cache, "empty");
    process.env["BERTH_PYTHON"] = "no-such-python";
    try {
      await assert.rejects(startCloud({ tier: "none" }), (error: unknown) => {
        assert.ok(error instanceof OfflineError);
        assert.match(`${error.message} ${error.hint ?? ""}`, /no-such-python.*python3-venv/);
        return true;
      });
    } finally {
      restore("BERTH_PYTHON", BERTH_PYTHON);
    }
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
}
