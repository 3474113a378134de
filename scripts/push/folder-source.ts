import { open, readdir, realpath, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { UserError } from "../../components/user-error.ts";
import type { SourceFile, WeightsSource } from "./source.ts";

/** What tells that a file is still the one that was listed. */
interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** Folder whose content links may point to: the source itself, or the blobs of a Hugging Face cache that it is a snapshot of. */
function linkRoots(root: string): readonly string[] {
  const snapshots = dirname(root);
  return basename(snapshots) === "snapshots" ? [root, join(dirname(snapshots), "blobs")] : [root];
}

interface Walk {
  readonly root: string;
  readonly roots: readonly string[];
  readonly files: (SourceFile & Seen)[];
  readonly problems: string[];
}

async function visit(walk: Walk, folder: string, above: readonly string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    const shown = relative(walk.root, path).split(sep).join("/");
    const real = entry.isSymbolicLink() ? await realpath(path).catch(() => undefined) : path;
    if (real === undefined) {
      walk.problems.push(`${shown}: is a link to nothing`);
    } else if (!walk.roots.some((root) => real === root || real.startsWith(root + sep))) {
      walk.problems.push(`${shown}: is a link out of the folder, to ${real}`);
    } else {
      const found = await stat(path);
      if (found.isFile()) {
        const { size, mtimeMs, ino } = found;
        walk.files.push({ path: shown, size, mtimeMs, ino });
      } else if (found.isDirectory() && above.includes(real)) {
        walk.problems.push(`${shown}: is a link to a folder that it lies in`);
      } else if (found.isDirectory() && entry.name !== ".git" && entry.name !== ".cache") {
        await visit(walk, path, [...above, real]);
      }
    }
  }
}

function changed(path: string, cause?: unknown): UserError {
  return new UserError(`${path} changed while it was being read.`, {
    hint: "Push again once nothing writes there any more.",
    cause,
  });
}

/** A folder on this machine. */
class FolderSource implements WeightsSource {
  readonly name: string;
  readonly files: readonly SourceFile[];
  readonly #root: string;
  readonly #seen: ReadonlyMap<string, Seen>;
  readonly #handles = new Map<string, Promise<FileHandle>>();

  constructor(root: string, files: readonly (SourceFile & Seen)[]) {
    this.#seen = new Map(files.map((file) => [file.path, file]));
    this.name = `folder:${basename(root)}`;
    this.#root = root;
    this.files = files;
  }

  #open(path: string): Promise<FileHandle> {
    const known = this.#handles.get(path);
    if (known !== undefined) return known;
    const opened = open(join(this.#root, path)).catch((cause: unknown) => {
      throw changed(path, cause);
    });
    this.#handles.set(path, opened);
    return opened;
  }

  async read(file: SourceFile, start: number, target: Buffer): Promise<void> {
    const handle = await this.#open(file.path);
    for (let filled = 0; filled < target.length;) {
      const { bytesRead } = await handle.read(
        target,
        filled,
        target.length - filled,
        start + filled,
      );
      if (bytesRead === 0) throw changed(file.path);
      filled += bytesRead;
    }
  }

  async finished(file: SourceFile): Promise<void> {
    const handle = await this.#open(file.path);
    const { size, mtimeMs, ino } = await handle.stat();
    await handle.close();
    this.#handles.delete(file.path);
    const then = this.#seen.get(file.path);
    if (size === then?.size && mtimeMs === then.mtimeMs && ino === then.ino) return;
    throw changed(file.path);
  }

  async close(): Promise<void> {
    const opened = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of opened) {
      await handle.then(
        (each) => each.close(),
        () => undefined,
      );
    }
  }
}

/**
 * Lists a folder. Links are followed where they stay inside it, or lead to the blobs of a Hugging Face cache.
 *
 * @throws UserError when it cannot be read, or naming every link that leaves it
 */
export async function openFolder(folder: string): Promise<WeightsSource> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new UserError(`There is no folder "${folder}".`, {
      hint: "Give a folder, hf:<owner>/<repository>, or s3://<bucket>/<prefix>.",
      cause,
    });
  });
  const roots = await Promise.all(
    linkRoots(root).map((each) => realpath(each).catch(() => undefined)),
  );
  const walk: Walk = {
    root,
    roots: roots.filter((each) => each !== undefined),
    files: [],
    problems: [],
  };
  if (!(await stat(root)).isDirectory()) {
    throw new UserError(`"${folder}" is not a folder.`, {
      hint: "Give the folder that it lies in, with --include for one file.",
    });
  }
  await visit(walk, root, [root]).catch((cause: unknown) => {
    if (cause instanceof UserError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`"${folder}" cannot be read: ${why}`, { cause });
  });
  if (walk.problems.length > 0) {
    throw new UserError(`"${folder}" has links that are not followed.`, {
      problems: walk.problems,
      hint: "Put the files themselves there, or leave the links out.",
    });
  }
  return new FolderSource(root, walk.files);
}
