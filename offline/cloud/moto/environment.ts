import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { OfflineError } from "../../offline-error.ts";
import { withLock } from "../../../processes/lock-folder.ts";
import { cacheFolder } from "../cache-folder.ts";
import { markUsed, pruneCache } from "../prune-cache.ts";

const run = promisify(execFile);
const requirements = join(import.meta.dirname, "..", "requirements.txt");

/** Room for the environment while pip unpacks it: 314 MB, and what it downloads. */
const environmentBytes = 400e6;

/** The oldest Python that every pinned package supports. */
const oldestPython = [3, 11] as const;

interface Failure {
  readonly code?: string | number;
  readonly stderr?: string;
  readonly stdout?: string;
  readonly message: string;
}

/** The name of a Python that can make a virtual environment; `BERTH_PYTHON` or `python3`. */
async function findPython(): Promise<string> {
  const python = process.env["BERTH_PYTHON"] ?? "python3";
  const hint =
    "Install Python 3.11 or newer with its venv module (Debian, Ubuntu: apt-get install python3 python3-venv), or name one in BERTH_PYTHON.";
  const probe = "import sys; print(*sys.version_info[:2]); import venv, ensurepip";
  const answer = await run(python, ["-c", probe]).catch((error: unknown) => error as Failure);
  if ("code" in answer && answer.code === "ENOENT") {
    throw new OfflineError(`The emulated AWS needs Python; there is no ${python}.`, hint);
  }
  const [major = 0, minor = 0] = (answer.stdout ?? "").trim().split(" ").map(Number);
  if (major < oldestPython[0] || (major === oldestPython[0] && minor < oldestPython[1])) {
    throw new OfflineError(
      `The emulated AWS needs Python ${oldestPython.join(".")} or newer; ${python} is ${major}.${minor}.`,
      hint,
    );
  }
  if ("code" in answer) {
    throw new OfflineError(`${python} lacks the venv module (ensurepip).`, hint);
  }
  return python;
}

async function build(target: string, mark: string, log: (line: string) => void): Promise<void> {
  const python = await findPython();
  const draft = `${target}.${process.pid}.tmp`;
  try {
    log("emulated AWS: making a Python environment for moto (once, about half a minute)");
    await run(python, ["-m", "venv", draft]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
    await run(join(draft, "bin", "python"), [
      ...pip,
      "--only-binary=:all:",
      "--require-hashes",
      "-r",
      requirements,
    ]);
    await writeFile(join(draft, "complete"), mark);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    if (error instanceof OfflineError) throw error;
    const failure = error as Failure;
    const tail = (failure.stderr ?? failure.message).trim().split("\n").slice(-4).join("\n");
    throw new OfflineError(
      `The Python environment of the emulated AWS could not be made:\n${tail}`,
      "The machine has to reach PyPI (or the index that pip is set to) once, and the cache folder needs 400 MB.",
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The environment of the pinned packages: where it lies, and the mark of a complete one. */
async function environment(): Promise<{ readonly target: string; readonly mark: string }> {
  const text = await readFile(requirements, "utf8");
  const version = /^moto\S*==(\S+)/m.exec(text)?.[1] ?? "unknown";
  const mark = createHash("sha256").update(text).digest("hex");
  return { target: join(cacheFolder(), `moto-${version}`), mark };
}

async function isComplete(): Promise<boolean> {
  const { target, mark } = await environment();
  return (await readFile(join(target, "complete"), "utf8").catch(() => "")) === mark;
}

/**
 * What stands in the way of {@link motoPython} is said here, before anything is made.
 *
 * @returns bytes that it still has to write into the user's cache folder; 0 when the environment is there
 * @throws {OfflineError} when there is no Python to make it with
 */
export async function motoCacheBytes(): Promise<number> {
  if (await isComplete()) return 0;
  await findPython();
  return environmentBytes;
}

/**
 * The Python of a virtual environment that holds moto, made on the first call in the user's cache
 * folder (314 MB, about 20 s) and kept; safe to call from several processes at once.
 */
export async function motoPython(log: (line: string) => void): Promise<string> {
  const { target, mark } = await environment();
  if (!(await isComplete())) {
    await mkdir(cacheFolder(), { recursive: true });
    await withLock(
      `${target}.lock`,
      async () => {
        if (!(await isComplete())) await build(target, mark, log);
        for (const name of await pruneCache()) log(`cache: removed ${name}, unused for a month`);
      },
      () => {
        log("emulated AWS: another process is making the Python environment; waiting for it");
      },
    );
  }
  await markUsed(target);
  return join(target, "bin", "python");
}
