import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/user-error.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import type { SshTarget } from "../adapters/ssh.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { listRemoteFiles, type RemoteFile } from "./remote-files.ts";
import type { SaveTarget } from "./save-target.ts";
import { SaveBucket } from "./save-to-bucket.ts";

/** What was saved. */
export interface Saved {
  /** `s3://bucket/prefix/`. */
  readonly uri: string;
  readonly files: number;
  readonly bytes: number;
}

/** What is saved, from where to where. */
export interface Saving {
  readonly host: SshTarget;
  readonly paths: readonly string[];
  readonly client: ClientSettings;
  readonly target: SaveTarget;
  readonly terminal: Pick<Terminal, "say">;
  /** MiB of one part; for tests. */
  readonly partMiB?: number | undefined;
  /** Milliseconds before a file is tried again. @default 5000 */
  readonly pauseMs?: number | undefined;
}

/** Times that a file is tried. */
const attempts = 3;

async function saveFile(bucket: SaveBucket, file: RemoteFile, pauseMs: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await bucket.save(file);
      return;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      if (attempt === attempts) throw new UserError(`${file.path}: ${why}`, { cause });
      await sleep(pauseMs * attempt);
    }
  }
}

/**
 * Has a host send files to a bucket, and checks each there: S3 takes only what has the checksum that the host read before. The
 * host needs no right of its own; it is given an address for each part, which is good for that part alone and for an hour.
 *
 * @throws UserError naming the first file that could not be saved, and why
 */
export async function saveFiles(saving: Saving): Promise<Saved> {
  const { host, paths, client, target, terminal, partMiB, pauseMs = 5000 } = saving;
  const bucket = await SaveBucket.open(client, target, host, partMiB);
  try {
    const files = await listRemoteFiles(host, paths, partMiB);
    if (files.length === 0) throw new UserError(`There is no file below ${paths.join(", ")}.`);
    const uri = `s3://${target.bucket}/${target.prefix}`;
    for (const file of files) {
      await saveFile(bucket, file, pauseMs);
      terminal.say(`saved      ${file.path} (${file.bytes.toLocaleString("en-US")} bytes)`);
    }
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { uri, files: files.length, bytes };
  } finally {
    bucket.close();
  }
}
