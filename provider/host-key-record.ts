import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../processes/replace-file.ts";
import { stateFolder } from "./user-folders.ts";

const schema = z.object({
  seeded: z.string(),
  rotated: z.string(),
  /** pending: the host may show either key; active: only the new one counts. */
  phase: z.enum(["pending", "active"]),
});

/** What this machine knows of a host key's rotation, so that one cut off in the middle can be taken up. */
export type HostKeyRecord = z.infer<typeof schema>;

function recordFolder(): string {
  return join(process.env["BERTH_STATE_HOME"] ?? stateFolder(), "host-keys");
}

function recordPath(instanceId: string): string {
  return join(recordFolder(), `${instanceId.replaceAll(/[^\w.-]/g, "_")}.json`);
}

/** The record of a host; undefined when there is none or it cannot be read. */
export async function readHostKeyRecord(instanceId: string): Promise<HostKeyRecord | undefined> {
  const text = await readFile(recordPath(instanceId), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Writes a record so that it survives a crash: it is on disk before the host starts to show the new key. */
export async function writeHostKeyRecord(instanceId: string, record: HostKeyRecord): Promise<void> {
  await mkdir(recordFolder(), { recursive: true, mode: 0o700 });
  await replaceFile(recordPath(instanceId), `${JSON.stringify(record)}\n`, 0o600);
}

function sameKey(one: string, other: string): boolean {
  const key = (line: string): string => line.trim().split(/\s+/).slice(0, 2).join(" ");
  return key(one) === key(other);
}

/**
 * The host keys to accept when a resource names `given`: the key itself, or what it was rotated to. Once a rotation is
 * done the seeded key counts no more, since user data, where it stood, can be read by others.
 */
export function acceptedHostKeys(
  given: string,
  record: HostKeyRecord | undefined,
): readonly string[] {
  if (record === undefined || !sameKey(given, record.seeded)) return [given];
  return record.phase === "active" ? [record.rotated] : [given, record.rotated];
}
