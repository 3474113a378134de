// The folder that is filled: which names it takes, its lock, its room, and writes that survive a power cut.

import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { constants, realpathSync } from "node:fs";
import { open, readFile, rm, statfs } from "node:fs/promises";
import net from "node:net";
import { join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { Refusal } from "./outcome.mjs";

const run = promisify(execFile);

/** The place of a file, refused when it would lie outside the folder or among the sync's own files. */
export function targetOf(folder, path) {
  const root = resolve(folder);
  const target = resolve(root, path);
  const inside = target.startsWith(root + sep);
  const own = path === "manifest.json" || path.split("/")[0] === ".sync";
  if (!inside || own || path.includes("\0") || path.split("/").includes("..")) {
    throw new Refusal(
      "E_PATH",
      `the object name "${path}" is not allowed: it would lie outside ${folder}`,
    );
  }
  return target;
}

/** So many files are brought to the disk one by one; a call for the whole file system would wait for what others wrote, too. */
const fewFiles = 64;

/** Fsyncs a file, or a folder, so that a rename in it survives a power cut. */
export async function syncPath(path) {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Brings files of one file system to the disk: thousands by one call, where the system has it. */
export async function syncFiles(folder, paths) {
  if (paths.length > fewFiles) {
    const done = await run("sync", ["-f", folder]).catch(() => undefined);
    if (done !== undefined) return;
  }
  await Promise.all(paths.map(syncPath));
}

export async function readJson(path, fallback) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return fallback;
  }
}

function mebibytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Takes a file's room at once, in one piece: a full disk shows here, and the writes find their blocks. */
export async function preallocate(path, bytes) {
  // Not every system and file system has it; the room was checked before.
  await run("fallocate", ["-l", String(bytes), path]).catch(() => undefined);
}

/** Says before the first byte that the disk is too small. */
export async function checkRoom(folder, neededBytes) {
  const { bavail, bsize } = await statfs(folder);
  const wanted = Math.ceil(neededBytes * 1.02) + 16 * 1024 * 1024;
  if (neededBytes > 0 && bavail * bsize < wanted) {
    throw new Refusal(
      "E_DISK",
      `${folder} has ${mebibytes(bavail * bsize)} free, and ${mebibytes(wanted)} are needed for the ${mebibytes(neededBytes)} that are missing`,
    );
  }
}

/** A name in the kernel goes with the process that holds it, however that ends; elsewhere than on Linux it is a file. */
function lockAddress(folder) {
  const name = createHash("sha256").update(realpathSync(folder)).digest("hex").slice(0, 32);
  return process.platform === "linux" ? `\0berth-sync-${name}` : join(folder, ".sync", "lock");
}

function bind(address) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write(String(process.pid));
    });
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve() : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

/** Waits until the holder of the lock ends; a file that a dead one left goes. */
function ended(address, onHolder) {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    let stale = false;
    socket.once("data", (pid) => onHolder(pid.toString()));
    socket.on("error", ({ code }) => (stale = code === "ECONNREFUSED"));
    socket.once("close", () => resolve(stale));
  });
}

/** Holds the folder for one sync; another one waits until this ends. Gives the function that lets go. */
export async function lock(folder, onHolder) {
  const address = lockAddress(folder);
  for (;;) {
    const server = await bind(address);
    if (server !== undefined) {
      server.unref();
      return () => server.close();
    }
    const stale = await ended(address, onHolder);
    if (stale && process.platform !== "linux") await rm(address, { force: true });
  }
}
