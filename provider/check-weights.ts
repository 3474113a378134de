import { z } from "zod";
import { selectWeights } from "../components/weights/select-weights.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { installEngine } from "./sync-engine.ts";
import type { Synced } from "./sync-weights.ts";
import { storeOf, type SyncInputs } from "./weights-plan.ts";

/** Time to read a terabyte at 300 MB/s. */
const deepTimeoutMs = 3600_000;

const checkSchema = z.object({ manifestSha256: z.string(), damaged: z.array(z.string()) });

/** What a look at the host's disk and at the bucket found. */
export interface SyncCheck {
  /** "" when the disk does not hold the manifest. */
  readonly manifestSha256: string;
  /** Keys whose file is gone, or has another size or time than the sync left it with. */
  readonly damaged: readonly string[];
  /** Keys that are new, gone or different in the bucket; undefined when the bucket could not be asked. */
  readonly changed: readonly string[] | undefined;
}

/**
 * Compares the host's disk with its manifest, and the bucket with what was synced.
 *
 * @param deep reads every byte instead of sizes and times. @default false
 */
export async function checkWeights(
  host: Host,
  inputs: SyncInputs,
  files: Synced["files"],
  deep = false,
): Promise<SyncCheck> {
  const dataFolder = await ensureFolder(host, inputs.dataFolder);
  const folder = await ensureFolder(host, inputs.folder);
  const engine = await installEngine(host, dataFolder);
  const output = await host.output(
    'exec "$1" "$2" check "$3" "$4"',
    [engine.node, engine.main, folder, deep ? "deep" : ""],
    deep ? deepTimeoutMs : 120_000,
  );
  const line = output.split("\n").find((text) => text.startsWith("@result ")) ?? "@result {}";
  const found = checkSchema.parse(JSON.parse(line.slice("@result ".length)));
  const store = storeOf(inputs);
  try {
    const listed = await store.list();
    return { ...found, changed: differences(selectWeights(listed, inputs), files) };
  } catch {
    return { ...found, changed: undefined };
  } finally {
    store.close();
  }
}

function differences(
  listed: readonly { key: string; etag: string }[],
  files: Synced["files"],
): readonly string[] {
  const now = new Map(listed.map(({ key, etag }) => [key, etag]));
  const then = new Map(files.map(({ key, etag }) => [key, etag]));
  return [...new Set([...now.keys(), ...then.keys()])].filter(
    (key) => now.get(key) !== then.get(key),
  );
}
