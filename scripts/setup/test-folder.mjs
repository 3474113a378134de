// The temporary folder of one test run. Whatever the tests and the processes that they start put into a temporary place
// lies in it, so that what they leave behind is seen and removed.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** What ends by itself once a test is done, such as a browser's helpers, gets this long. */
const graceMs = 30_000;

/** tsx keeps what it compiled in a folder of this name; kept over runs, it is linked into each one's folder. */
const compiled = `tsx-${process.geteuid?.() ?? userInfo().username}`;

/** What test/support/late-errors.ts writes: that mocha came to its end, and the errors of promises whose tests were over. */
const ended = "mocha-ended";
const late = "late-errors";

/**
 * A new folder and the environment that sends temporary files there.
 *
 * @param cache folder for what is kept from one run to the next: compiled code
 */
export function makeTestFolder(cache) {
  const folder = mkdtempSync(join(tmpdir(), "berth-"));
  mkdirSync(join(cache, "tsx"), { recursive: true });
  symlinkSync(join(cache, "tsx"), join(folder, compiled));
  const notes = { BERTH_TESTS_ENDED: join(folder, ended), BERTH_LATE_ERRORS: join(folder, late) };
  return { folder, env: { TMPDIR: folder, NODE_COMPILE_CACHE: join(cache, "node"), ...notes } };
}

/** Processes that still run with this temporary folder; none where the system has no /proc. */
function processesOf(folder) {
  const uses = (id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, "utf8").split("\0").includes(`TMPDIR=${folder}`);
    } catch {
      return false;
    }
  };
  const commandOf = (id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    } catch {
      return "";
    }
  };
  let ids = [];
  try {
    ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    // Only Linux has it.
  }
  return ids
    .filter(uses)
    .map((id) => `process ${id}: ${commandOf(id)}`)
    .filter((line) => !line.endsWith(": "));
}

/** What the tests left: files in their folder, and processes that still run. */
export async function leftBehind(folder) {
  const look = () => [
    ...readdirSync(folder).filter((name) => ![compiled, ended, late].includes(name)),
    ...processesOf(folder),
  ];
  const until = Date.now() + graceMs;
  let left = look();
  while (left.length > 0 && Date.now() < until) {
    await pause(100);
    left = look();
  }
  return left;
}

/** What makes a run of the tests a failed one, whatever its status: it did not come to its end, or an error came after it. */
export function brokenOff(folder) {
  const has = (name) => existsSync(join(folder, name));
  return [
    ...(has(ended) ? [] : ["mocha ended before it could tell of all tests; why is above"]),
    ...(has(late) ? readFileSync(join(folder, late), "utf8").trim().split("\n").slice(0, 20) : []),
  ];
}

/** Removes the folder, but not through a mount, since what is behind one belongs to somebody else. */
export function removeTestFolder(folder) {
  let mounts = "";
  try {
    mounts = readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    // Only Linux has it.
  }
  if (!mounts.includes(` ${folder}/`)) rmSync(folder, { recursive: true, force: true });
}
