import { environmentDefaults, settingDefaults } from "../../stacks/parse-settings.ts";
import { configText, type StackConfig } from "../adapters/stack-file.ts";

/** Who decides a setting, the strongest first. */
export const levels = ["flag", "file", "policy", "default"] as const;

/** One of them, or none. */
export type Level = (typeof levels)[number] | "nowhere";

/** One setting of a stack, who says it, and what it would be without. */
export interface Said {
  readonly text: string;
  readonly from: Level;
  /** What the next level below says otherwise. */
  readonly over?: { readonly text: string; readonly from: Level };
}

/** One setting that two stacks have differently. */
export interface Difference {
  readonly key: string;
  readonly one: Said;
  readonly other: Said;
}

/** What is said of a stack, level by level. */
export interface StackPolicy {
  readonly stack: string;
  /** Its environment: `dev-alice` is a `dev`. */
  readonly env: string;
  readonly said: Readonly<Record<(typeof levels)[number], StackConfig>>;
}

/** The levels of a stack, from its file and from flags that win over it. */
export function stackPolicy(stack: string, file: StackConfig, flag: StackConfig = {}): StackPolicy {
  const config = { ...file, ...flag };
  const policy = environmentDefaults(stack, config);
  const env = String(policy["berth:env"]);
  return { stack, env, said: { flag, file, policy, default: settingDefaults(config) } };
}

function saidOf(key: string, { said }: StackPolicy): Said {
  const found = levels
    .filter((level) => key in said[level])
    .map((level) => ({ text: configText(said[level][key]), from: level }));
  const [first, second] = found;
  if (first === undefined) return { text: "-", from: "nowhere" };
  return second === undefined || second.text === first.text ? first : { ...first, over: second };
}

/** Every setting that two stacks have differently, by key, with the levels that decide it; pure. */
export function differences(one: StackPolicy, other: StackPolicy): readonly Difference[] {
  const maps = [one, other].flatMap(({ said }) => levels.map((level) => said[level]));
  const keys = [...new Set(maps.flatMap((map) => Object.keys(map)))].toSorted();
  return keys
    .map((key) => ({ key, one: saidOf(key, one), other: saidOf(key, other) }))
    .filter((row) => row.one.text !== row.other.text);
}

function origin(from: Level, env: string): string {
  return from === "policy" ? `policy of ${env}` : from;
}

/** A setting as a person reads it: its value, who says it, and what it would be otherwise. */
export function saidText({ text, from, over }: Said, env: string): string {
  if (from === "nowhere") return text;
  const short = text.length > 32 ? `${text.slice(0, 29)}...` : text;
  const below = over === undefined ? "" : `; ${origin(over.from, env)}: ${over.text}`;
  return `${short} (${origin(from, env)}${below})`;
}
