import type { Terminal } from "../adapters/terminal.ts";

/** Flags as commander gives them; each command names the ones that it has. */
export type Flags = Readonly<Record<string, unknown>>;

/** One command: how it is written, and what runs it. The module is loaded only when it is asked for. */
export interface CommandRow {
  /** Name and arguments, in commander's notation. */
  readonly syntax: string;
  readonly summary: string;
  /** Flags, what they mean, the default, and all values that are taken. */
  readonly flags: readonly (readonly [
    string,
    string,
    (string | undefined)?,
    (readonly string[])?,
  ])[];
  readonly run: (words: readonly string[], flags: Flags, terminal: Terminal) => Promise<number>;
}

/** Which stack. */
export const env = [
  "--env <stack>",
  "stack: dev, staging, prod, local, or one named after them",
  "dev",
] as const;
/** Which engine. */
export const engine = [
  "--engine <engine>",
  "what runs the program: the Pulumi CLI of the PATH, or the one that comes with berth",
  "auto",
  ["auto", "pulumi", "offline"],
] as const;
/** Which host, where there are several. */
export const host = ["--host <number>", "which of several hosts, from 0 (default: 0)"] as const;
/** For a gated model. */
export const licence = [
  "--accept-licence <name>",
  "accept the licence of a gated model, by its name in the plan",
] as const;

/** What models are made for. */
export const modelTasks = ["text-generation", "code", "multimodal", "image-generation"] as const;
