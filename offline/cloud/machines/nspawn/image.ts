import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { OfflineError } from "../../../offline-error.ts";
import { withLock } from "../../../../processes/lock-folder.ts";
import { cacheFolder } from "../../cache-folder.ts";
import { markUsed, pruneCache } from "../../prune-cache.ts";
import { run, systemPath } from "./command.ts";
import { debianMirror, type DebianMirror } from "./debian-mirror.ts";

/** Debian 12, Debian 13, and Debian 12 with the package system of Amazon Linux 2023 (dnf 4.14, rpm 4.18) beside its own. */
export type System = "bookworm" | "trixie" | "bookworm-dnf";

interface SystemRecipe {
  /** The release's name in the archive. */
  readonly suite: string;
  /** Packages besides those that every machine has. */
  readonly extra: readonly string[];
}

const systems: Readonly<Record<System, SystemRecipe>> = {
  bookworm: { suite: "bookworm", extra: [] },
  trixie: { suite: "trixie", extra: [] },
  "bookworm-dnf": {
    suite: "bookworm",
    extra: ["dnf", "dnf-plugins-core", "rpm", "createrepo-c", "mdadm", "gnupg"],
  },
};

/** debootstrap resolves no virtual packages, so python3-cffi-backend, which cloud-init needs one as, is named. */
const packages = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "sudo",
  "iproute2",
  "ca-certificates",
  "python3",
  "python3-cffi-backend",
  "cloud-init",
  "curl",
  "procps",
];
const recipe = join(import.meta.dirname, "image");

function packagesOf(system: System): readonly string[] {
  return [...packages, ...systems[system].extra];
}

function recipeHash(system: System): string {
  const { suite } = systems[system];
  const made = JSON.stringify([suite, packagesOf(system), process.arch]);
  const hash = createHash("sha256").update(made);
  for (const name of ["90_berth.cfg", "customise.sh"])
    hash.update(readFileSync(join(recipe, name)));
  return hash.digest("hex").slice(0, 12);
}

/** Where the image of machines lies: named by what it is made from, so that a new recipe makes a new one. */
export function imageFolder(system: System): string {
  return join(cacheFolder(), `image-${system}-${recipeHash(system)}`);
}

/** What debootstrap is at, by the lines that it writes. */
const phases = [
  [/^I: Retrieving InRelease/, "reading the archive's index"],
  [/^I: Resolving dependencies of required/, "fetching packages (110 MB)"],
  [/^I: Installing core packages/, "unpacking the base system"],
  [/^I: Unpacking the base system/, "unpacking the rest"],
  [/^I: Configuring the base system/, "configuring"],
] as const;

function follow(line: string, progress: (line: string) => void): void {
  const phase = phases.find(([pattern]) => pattern.test(line));
  if (phase !== undefined) progress(`machine image: ${phase[1]}`);
}

/** Runs debootstrap in namespaces of its own, so that it leaves no mount behind and does not outlive this process. */
function debootstrap(
  { system, tree, wgetFile }: { system: System; tree: string; wgetFile: string },
  mirror: DebianMirror,
  progress: (line: string) => void,
): Promise<void> {
  const own = [
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  const options = ["--variant=minbase", "--force-check-gpg", `--keyring=${mirror.keyring}`];
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "unshare", ...own, "debootstrap", ...options],
      ...[`--include=${packagesOf(system).join(",")}`, systems[system].suite, tree, mirror.url],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...mirror.environment, PATH: systemPath, LC_ALL: "C", WGETRC: wgetFile },
    },
  );
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      follow(line, progress);
      last.push(line);
      if (last.length > 8) last.shift();
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new OfflineError(
            `The image of the emulated machines could not be built from ${mirror.url} (debootstrap ended with ${String(code)}):\n${last.join("\n")}`,
            "Name a Debian mirror that this host reaches in BERTH_DEBIAN_MIRROR, or use machines of the tier `process`.",
          ),
        );
    });
  });
}

async function build(
  system: System,
  target: string,
  progress: (line: string) => void,
): Promise<void> {
  const began = Date.now();
  const mirror = await debianMirror();
  const making = `${target}.making`;
  for (const name of await readdir(cacheFolder())) {
    if (name.startsWith("image-") && name.endsWith(".making"))
      await rm(join(cacheFolder(), name), { recursive: true, force: true });
  }
  await mkdir(making, { recursive: true });
  const tree = join(making, "tree");
  const wgetFile = join(making, "wgetrc");
  await writeFile(wgetFile, mirror.wgetSettings.map((line) => `${line}\n`).join(""));
  progress(`machine image: building Debian (${system}) from ${mirror.url} (once, about a minute)`);
  try {
    await debootstrap({ system, tree, wgetFile }, mirror, progress);
    await run(join(recipe, "customise.sh"), tree, recipe);
    await rename(tree, target);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  progress(`machine image: built in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** Room that the image still needs in the cache folder while it is built, packages included; 0 when it is there. */
export function imageCacheBytes(system: System): Promise<number> {
  return Promise.resolve(existsSync(imageFolder(system)) ? 0 : 500e6);
}

/** Builds the image unless it is there; of several processes one builds, and the others wait. */
export async function prepareImage(
  system: System,
  progress: (line: string) => void,
): Promise<void> {
  const target = imageFolder(system);
  if (existsSync(target)) {
    await markUsed(target);
    return;
  }
  await mkdir(cacheFolder(), { recursive: true });
  await withLock(
    join(cacheFolder(), "image.lock"),
    async () => {
      if (!existsSync(target)) await build(system, target, progress);
      await markUsed(target);
      for (const name of await pruneCache()) progress(`cache: removed ${name}, unused for a month`);
    },
    () => {
      progress("machine image: another process is building it; waiting");
    },
  );
}
