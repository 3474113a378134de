import { dirname } from "node:path/posix";
import { z } from "zod";
import type { ChosenFiles } from "./choose-files.ts";

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A `*.safetensors.index.json`: which shards a model has. */
export interface ShardIndex {
  readonly path: string;
  readonly text: string;
}

/** True for a file that names the shards beside it. */
export function isShardIndex(path: string): boolean {
  return path.endsWith(".safetensors.index.json");
}

/**
 * Holds the chosen files against the indexes among them: a shard that is named and not there is a problem, and a
 * safetensors file beside an index that does not name it, often the same weights in one piece, stays behind.
 *
 * @param kept paths that the user named, which stay
 */
export function applyIndexes(
  chosen: ChosenFiles,
  indexes: readonly ShardIndex[],
  kept: (path: string) => boolean,
): ChosenFiles {
  const problems: string[] = [...chosen.problems];
  const named = new Map<string, Set<string>>();
  for (const { path, text } of indexes) {
    const shards = shardsOf(text);
    if (shards === undefined) {
      problems.push(`${path}: is not an index of shards`);
      continue;
    }
    const folder = dirname(path);
    const inFolder = (shard: string) => (folder === "." ? shard : `${folder}/${shard}`);
    const known = named.get(folder) ?? new Set();
    for (const shard of shards) {
      known.add(inFolder(shard));
      if (chosen.sent.some((file) => file.path === inFolder(shard))) continue;
      problems.push(`${inFolder(shard)}: is named by ${path} and is not among the files`);
    }
    named.set(folder, known);
  }
  const extra = ({ path }: { readonly path: string }) =>
    path.endsWith(".safetensors") && named.get(dirname(path))?.has(path) === false && !kept(path);
  const skipped = chosen.sent
    .filter(extra)
    .map((file) => ({ ...file, reason: "not named by the index of shards" }));
  const sent = chosen.sent.filter((file) => !extra(file));
  return { sent, skipped: [...chosen.skipped, ...skipped], problems };
}

function shardsOf(text: string): ReadonlySet<string> | undefined {
  try {
    return new Set(Object.values(indexSchema.parse(JSON.parse(text)).weight_map));
  } catch {
    return undefined;
  }
}
