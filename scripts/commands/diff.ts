import { UserError } from "../../components/user-error.ts";
import { environmentDefaults } from "../../stacks/parse-settings.ts";
import { configText, readStackConfig, type StackConfig } from "../adapters/stack-file.ts";
import { stackFilePath } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";

/** One setting of a stack, and where it is from. */
interface Said {
  readonly text: string;
  readonly from: "file" | "environment" | "nowhere";
}

/** One setting that two stacks have differently. */
export interface Difference {
  readonly key: string;
  readonly one: Said;
  readonly other: Said;
}

function said(key: string, config: StackConfig, defaults: StackConfig): Said {
  if (key in config) return { text: configText(config[key]), from: "file" };
  if (key in defaults) return { text: configText(defaults[key]), from: "environment" };
  return { text: "-", from: "nowhere" };
}

/** Every setting that two stacks have differently, by key; what their environments decide included. */
export function differences(
  [one, oneConfig]: readonly [stack: string, config: StackConfig],
  [other, otherConfig]: readonly [stack: string, config: StackConfig],
): readonly Difference[] {
  const [oneDefaults, otherDefaults] = [
    environmentDefaults(one, oneConfig),
    environmentDefaults(other, otherConfig),
  ];
  const maps = [oneConfig, otherConfig, oneDefaults, otherDefaults];
  const keys = [...new Set(maps.flatMap((map) => Object.keys(map)))].toSorted();
  return keys
    .map((key) => ({
      key,
      one: said(key, oneConfig, oneDefaults),
      other: said(key, otherConfig, otherDefaults),
    }))
    .filter((row) => row.one.text !== row.other.text);
}

function configOf(stack: string): StackConfig {
  const config = readStackConfig(stack);
  if (config !== undefined) return config;
  throw new UserError(`There is no stack "${stack}": ${stackFilePath(stack)} is missing.`, {
    hint: "Name stacks that have a file in stacks/.",
  });
}

function shown({ text, from }: Said): string {
  return from === "environment" ? `${text} (environment)` : text;
}

/** `berth diff`: what two stacks do differently. */
export function runDiff(one: string, other: string, terminal: Terminal): Promise<number> {
  const rows = differences([one, configOf(one)], [other, configOf(other)]);
  const table = [
    ["", one, other],
    ...rows.map((row) => [row.key, shown(row.one), shown(row.other)]),
  ];
  const widths = [0, 1].map((column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  terminal.say(
    ...table.map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
  );
  terminal.result({ one, other, differences: rows });
  return Promise.resolve(exitCode.ok);
}
