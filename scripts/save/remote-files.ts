import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../components/user-error.ts";
import { runSsh, type SshTarget } from "../adapters/ssh.ts";

/** One file of a host. */
export interface RemoteFile {
  /** On the host, absolute. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of each part, base64; one for what fits a part. */
  readonly partSums: readonly string[];
}

/** What is sent in one request; S3 takes up to 5 GiB in one, and 10,000 parts of a file. */
export const partMiB = 1024;

function script(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** As root where the login may be: what a job writes need not be the login's own. */
const shell = "if sudo -n true 2>/dev/null; then exec sudo -n bash -s; else exec bash -s; fi";

/** Runs a script on a host with its words, all of it through the standard input, so that no process's arguments show it. */
async function runScript(
  target: SshTarget,
  name: string,
  words: readonly string[],
): Promise<string> {
  const input = `set -- ${words.map(quoted).join(" ")}\n${script(name)}`;
  const { code, stdout, stderr } = await runSsh(target, {
    command: [shell],
    capture: true,
    input,
  });
  if (code === 0) return stdout;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  throw new UserError(last === "" ? `The host's shell ended with code ${code}.` : last);
}

/**
 * Every file below the paths, with its checksums, as the host reads them.
 *
 * @throws UserError when a path is not there, or the host does not answer
 */
export async function listRemoteFiles(
  target: SshTarget,
  paths: readonly string[],
  mib: number = partMiB,
): Promise<readonly RemoteFile[]> {
  const listed = await runScript(target, "list-files.sh", [String(mib), ...paths]);
  return listed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [bytes = "", path = "", ...sums] = line.split("\t");
      const partSums = sums.map((sum) => Buffer.from(sum, "hex").toString("base64"));
      return { path, bytes: Number(bytes), partSums };
    });
}

/** A part of a file, and where it goes. */
export interface PartToSend {
  readonly file: RemoteFile;
  /** From 0. */
  readonly index: number;
  readonly url: string;
  readonly mib?: number | undefined;
}

/**
 * Has the host send a part, and gives S3's ETag of it. S3 refuses what is not what was listed.
 *
 * @throws UserError when it did not arrive
 */
export async function sendRemotePart(
  target: SshTarget,
  { file, index, url, mib = partMiB }: PartToSend,
): Promise<string> {
  const bytes = Math.min(file.bytes - index * mib * 1024 ** 2, mib * 1024 ** 2);
  const words = [index * mib, mib, bytes].map(String);
  const sum = file.partSums[index] ?? "";
  const tag = await runScript(target, "send-part.sh", [file.path, ...words, sum, url]);
  return tag.trim();
}
