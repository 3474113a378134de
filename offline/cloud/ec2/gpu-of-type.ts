import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Table {
  readonly types: Readonly<
    Record<string, { gpuModel: string; gpuCount: number; gpuMemoryMiB: number }>
  >;
}

let table: Table | undefined;

/** The GPUs of an instance type, memory as `nvidia-smi` shows it; none for a type without. */
export function gpuOfType(
  instanceType: string,
): { readonly model: string; readonly count: number; readonly memoryMiB: number } | undefined {
  table ??= JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "data", "gpu-instance-types.json"), "utf8"),
  ) as Table;
  const row = table.types[instanceType];
  if (row === undefined) return undefined;
  return { model: row.gpuModel, count: row.gpuCount, memoryMiB: row.gpuMemoryMiB };
}
