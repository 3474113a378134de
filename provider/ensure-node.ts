import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { UserError } from "../components/user-error.ts";
import { shellQuote, type Host } from "./adapters/ssh.ts";
import { remoteScript } from "./remote/scripts.ts";
import { cacheFolder } from "./user-folders.ts";

const probe = remoteScript("probe-node.sh");
const receive = remoteScript("receive-archive.sh");

/** A program or a folder of programs packed for the host. */
export interface Archive {
  readonly kind: "file" | "folder";
  /** The .gz or .tar.gz on this machine. */
  readonly path: string;
  /** Of the packed bytes, hexadecimal. */
  readonly sha256: string;
}

/**
 * Puts an archive's content in place on the host, once: a lock on the host lets several do so at the same time.
 *
 * @returns whether anything was sent
 * @throws UserError with the host's own words when it could not take it
 */
export async function sendArchive(host: Host, archive: Archive, target: string): Promise<boolean> {
  const { size } = await stat(archive.path);
  const words = [archive.kind, target, archive.sha256].map(shellQuote).join(" ");
  const command = `bash -c ${shellQuote(receive)} receive ${words}`;
  const result = await host.run(command, () => {
    // Nothing is sent before it is asked for: the host may have it.
    const stdin = new PassThrough();
    let said = "";
    let asked = false;
    return {
      // The lock may be held by another sender; then the slowest line that is sensible, 500 kB/s.
      timeoutMs: 900_000 + size / 500,
      stdin,
      onStdout: (text) => {
        said += text;
        // A line among others: what a host's startup files print comes before it.
        if (asked || !/^send\n/m.test(said)) return;
        asked = true;
        createReadStream(archive.path)
          // The host tells by the sum that something is missing.
          .on("error", () => stdin.end())
          .pipe(stdin);
      },
    };
  });
  if (result.code === 0) return /^done$/m.test(result.stdout);
  const reason = result.stderr.trim().split("\n").slice(-3).join(" ");
  throw new UserError(`${target} could not be put on ${host.name}: ${reason}`, {
    hint: /no space left|quota exceeded/i.test(reason)
      ? "Give the host a larger root volume with `rootVolumeGiB`."
      : "Run the same command again; it goes on from there.",
  });
}

const machineNames: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };
const systemNames: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Darwin" };

/** This machine's own Node, packed once per version in the user's cache folder (`XDG_CACHE_HOME`, else `~/.cache`). */
async function packOwnNode(): Promise<Archive> {
  const cache = join(cacheFolder(), "node");
  const path = join(cache, `node-${process.version}-${process.platform}-${process.arch}.gz`);
  const fresh = await stat(path).catch(() => undefined);
  if (fresh === undefined) {
    await mkdir(cache, { recursive: true });
    const making = `${path}.${String(process.pid)}.tmp`;
    try {
      const gzip = createGzip({ level: constants.Z_BEST_SPEED });
      await pipeline(createReadStream(process.execPath), gzip, createWriteStream(making));
      await rename(making, path);
    } finally {
      await rm(making, { force: true });
    }
  }
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { kind: "file", path, sha256 };
}

let packing: Promise<Archive> | undefined;

/** A Node on the host. */
export interface RemoteNode {
  readonly path: string;
  readonly version: string;
  /** Whether it had to be sent. */
  readonly sent: boolean;
}

/**
 * Finds Node 22 or newer on the host, else sends this machine's own, which fits where system and processor are the same.
 *
 * @param dataFolder the folder on the host beneath which `node/bin/node` is put
 * @throws UserError when the host has none and this machine's does not fit
 */
export async function ensureNode(host: Host, dataFolder: string): Promise<RemoteNode> {
  const found = await probeNode(host, dataFolder);
  if (found.node !== undefined) return { ...found.node, sent: false };
  const fits =
    found.system === systemNames[process.platform] && found.machine === machineNames[process.arch];
  if (!fits) {
    throw new UserError(
      `${host.name} has no Node 22 or newer, and this machine's Node does not fit it`,
      {
        problems: [
          `the host is ${found.system} ${found.machine}, this machine is ${process.platform} ${process.arch}`,
        ],
        hint: "Use a machine image with Node >= 22, or run from a machine of the same kind (Linux, same processor).",
      },
    );
  }
  packing ??= packOwnNode().finally(() => {
    packing = undefined;
  });
  const target = `${dataFolder}/node/bin/node`;
  const sent = await sendArchive(host, await packing, target);
  const now = await probeNode(host, dataFolder);
  if (now.node === undefined)
    throw new Error(`${basename(target)} was sent to ${host.name} and does not run there`);
  return { ...now.node, sent };
}

interface Probed {
  readonly node: { readonly path: string; readonly version: string } | undefined;
  readonly system: string;
  readonly machine: string;
}

async function probeNode(host: Host, dataFolder: string): Promise<Probed> {
  const [state, first = "", second = ""] = (await host.output(probe, [dataFolder]))
    .trim()
    .split(" ");
  if (state === "have") return { node: { path: first, version: second }, system: "", machine: "" };
  return { node: undefined, system: first, machine: second };
}
