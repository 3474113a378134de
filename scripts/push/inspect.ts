import {
  ggufProblem,
  headerLengthBytes,
  safetensorsHeaderBytes,
  safetensorsProblem,
} from "./weight-format.ts";
import { isShardIndex, type ShardIndex } from "./shard-index.ts";
import type { SourceFile, WeightsSource } from "./source.ts";

/** The most that is read of a file which should be small, bytes. */
const mostTextBytes = 64 * 1024 * 1024;

async function start(
  source: WeightsSource,
  file: SourceFile,
  at: number,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, file.size - at)));
  if (buffer.length > 0) await source.read(file, at, buffer, signal);
  return buffer;
}

async function safetensors(
  source: WeightsSource,
  file: SourceFile,
  signal: AbortSignal,
): Promise<string | undefined> {
  const first = await start(source, file, 0, headerLengthBytes, signal);
  const length = safetensorsHeaderBytes(first, file.size);
  if (typeof length === "string") return length;
  const header = await start(source, file, headerLengthBytes, length, signal);
  return safetensorsProblem(header, file.size);
}

/** What is wrong with the weights among the files, one line each; only their headers are read. */
export async function inspectWeights(
  source: WeightsSource,
  files: readonly SourceFile[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const file of files) {
    const lower = file.path.toLowerCase();
    const problem = lower.endsWith(".safetensors")
      ? await safetensors(source, file, signal)
      : lower.endsWith(".gguf")
        ? ggufProblem(await start(source, file, 0, 8, signal))
        : undefined;
    if (problem !== undefined) problems.push(`${file.path}: ${problem}`);
  }
  return problems;
}

/** The indexes of shards among the files. */
export async function readIndexes(
  source: WeightsSource,
  files: readonly SourceFile[],
  signal: AbortSignal,
): Promise<readonly ShardIndex[]> {
  const indexes: ShardIndex[] = [];
  for (const file of files.filter(({ path }) => isShardIndex(path))) {
    const text = await start(source, file, 0, mostTextBytes, signal);
    indexes.push({ path: file.path, text: text.toString("utf8") });
  }
  return indexes;
}
