import { running } from "../../../scripts/command-rows/running.ts";
import type { BenchOptions } from "../../../scripts/load/bench-options.ts";

/** Flags by their names, such as `--max-failed`. */
export type Flags = Readonly<Record<string, string>>;

function camelCase(flag: string): string {
  return flag.replace(/^--/, "").replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The options of `berth bench`: its own defaults, and what is said. */
export function benchDefaults(flags: Flags = {}): BenchOptions {
  const row = running.find(({ syntax }) => syntax === "bench");
  const usual = (row?.flags ?? []).flatMap(([flag, , initial]) =>
    initial === undefined ? [] : [[flag.split(" ")[0] ?? "", initial] as const],
  );
  const named = Object.entries({ ...Object.fromEntries(usual), ...flags }).map(([flag, value]) => [
    camelCase(flag),
    value,
  ]);
  return Object.fromEntries(named) as BenchOptions;
}
