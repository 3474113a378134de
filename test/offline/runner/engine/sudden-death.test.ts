import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { TestStack } from "./test-stack.ts";

/** Runs an up in a process of its own, which can be killed; it keeps its snapshot in a file. */
const runner = `
  const folder = process.argv.at(-1);
  const { writeFileSync } = await import("node:fs");
  const { TestStack } = await import(${JSON.stringify(new URL("test-stack.ts", import.meta.url).href)});
  const stack = new TestStack(folder).ownPlugins();
  await stack.run("up", { store: {
    load: () => stack.snapshot,
    save: (snapshot) => { writeFileSync(folder + "/snapshot.json", JSON.stringify(snapshot)); return Promise.resolve(); },
  } });
`;

async function until(condition: () => boolean, seconds = 60): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    if (condition()) return true;
    await pause(50);
  }
  return condition();
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the sudden death of the engine", () => {
  it("takes program and plugins with it, and leaves the creation on record", async () => {
    const stack = new TestStack();
    stack.program(`
      import { writeFileSync } from "node:fs";
      writeFileSync(${JSON.stringify(join(stack.folder, "program.pid"))}, String(process.pid));
      new File("a", { fault: "create:hang" });
    `);
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", runner, "--", stack.folder],
      { stdio: "inherit", cwd: process.cwd() },
    );
    try {
      const snapshot = join(stack.folder, "snapshot.json");
      const creating = (): boolean =>
        existsSync(snapshot) && readFileSync(snapshot, "utf8").includes('"creating"');
      assert.ok(await until(creating), "the creation is on record before it begins");
      const program = Number(readFileSync(join(stack.folder, "program.pid"), "utf8"));
      const plugin = Number(readFileSync(join(stack.files, "plugin.pid"), "utf8"));
      assert.ok(alive(program) && alive(plugin));
      child.kill("SIGKILL");
      assert.ok(
        await until(() => !alive(program) && !alive(plugin)),
        "program and plugin are gone",
      );
    } finally {
      child.kill("SIGKILL");
      stack.remove();
    }
  });
});
