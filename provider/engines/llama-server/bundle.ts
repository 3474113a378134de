import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheFolder } from "../../user-folders.ts";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "..", "..", "..");
const engine = "node-llama-cpp";

/** What of the packages the host never needs: sources to compile from, maps and type declarations. */
const left =
  /(\.d\.[cm]?ts|\.map|\.md)$|\/node-llama-cpp\/(templates|bins|llama\/[^/]+(?<!\.json))$/;

interface PackageDocument {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A bundle on disk: a .tar.gz and the SHA-256 of its bytes, in hexadecimal. */
export interface EngineBundle {
  readonly path: string;
  readonly sha256: string;
}

/** The folder in `node_modules` that `from` gets the package from, nearest first, as Node resolves it. */
async function packageFolder(name: string, from: string): Promise<string | undefined> {
  let folder = from;
  while (folder.startsWith(repository)) {
    const candidate = join(folder, "node_modules", name);
    if (await stat(join(candidate, "package.json")).catch(() => undefined)) return candidate;
    folder = dirname(folder);
  }
  return undefined;
}

async function readPackage(folder: string): Promise<PackageDocument> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageDocument;
}

/** Folders of the engine and of all that it needs at run time, its prebuilt llama.cpp included. */
async function closure(platform: string): Promise<readonly string[]> {
  const found = new Set<string>();
  const visit = async (name: string, from: string): Promise<void> => {
    const folder = await packageFolder(name, from);
    if (folder === undefined) {
      throw new Error(`${name} is not installed; run npm install in ${repository}`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = await readPackage(folder);
    for (const next of Object.keys(dependencies)) {
      if (next !== "cmake-js" && next !== "node-addon-api") await visit(next, folder);
    }
  };
  await visit(engine, repository);
  await visit(`@node-llama-cpp/${platform}`, repository);
  return [...found];
}

async function build(folders: readonly string[], target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const staging = await mkdtemp(join(dirname(target), "bundle-"));
  try {
    const content = join(staging, "llama-server");
    for (const folder of folders) {
      const nested = join(folder, "node_modules");
      await cp(folder, join(content, folder.slice(repository.length + 1)), {
        recursive: true,
        filter: (source) =>
          !source.startsWith(nested + sep) && source !== nested && !left.test(source),
      });
    }
    await cp(join(here, "server.mjs"), join(content, "server.mjs"));
    const packed = join(staging, "bundle.tar.gz");
    await run("tar", [
      "--use-compress-program",
      "gzip -1",
      "-cf",
      packed,
      "-C",
      staging,
      "llama-server",
    ]);
    await rename(packed, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * The llama.cpp server with all it needs but Node, as one .tar.gz with the folder `llama-server` in it; made once per
 * version in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`).
 *
 * @param platform as the prebuilt packages name it, such as `linux-x64` (the default) or `linux-arm64`
 * @throws Error when the engine's packages are not installed
 */
export async function llamaServerBundle(platform = "linux-x64"): Promise<EngineBundle> {
  const folders = await closure(platform);
  const recipe = createHash("sha256");
  for (const folder of folders.toSorted()) {
    recipe.update(`${folder.slice(repository.length)}@${(await readPackage(folder)).version}\n`);
  }
  recipe.update(await readFile(join(here, "server.mjs")));
  const cache = join(cacheFolder(), "engines");
  const name = `llama-server-${platform}-${recipe.digest("hex").slice(0, 16)}.tar.gz`;
  const path = join(cache, name);
  if (!(await stat(path).catch(() => undefined))) await build(folders, path);
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { path, sha256 };
}
