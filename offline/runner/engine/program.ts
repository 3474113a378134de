import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { OfflineError } from "../../offline-error.ts";
import type { ConfigValue, Project, Severity } from "../contract.ts";
import type { Child, ChildProcesses } from "./child-processes.ts";

/** The exit code of a Node program that has told its errors already. */
const alreadyReported = 32;

/** What a program needs to run. */
export interface ProgramOptions {
  readonly project: Project;
  readonly stack: string;
  readonly organization: string;
  readonly config: ReadonlyMap<string, ConfigValue>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly preview: boolean;
  readonly parallel: number;
  readonly monitorAddress: string;
  readonly engineAddress: string;
  readonly children: ChildProcesses;
  log(severity: Severity, line: string): void;
}

/** A program that runs. */
export interface RunningProgram {
  /** Why it failed, or undefined when it ended well; "" when it has said so itself. */
  readonly ended: Promise<string | undefined>;
  stop(): Promise<void>;
}

/** The folder that a program runs in: that of `main`, or the project's. */
export function programFolder(project: Project): string {
  const main = resolve(project.root, project.main ?? ".");
  return existsSync(main) && !statSync(main).isDirectory() ? dirname(main) : main;
}

/** Starts the Node program of a project as Pulumi's language host does, through `@pulumi/pulumi/cmd/run`. */
export function startProgram(options: ProgramOptions): RunningProgram {
  const { project } = options;
  if (project.runtime.name !== "nodejs") {
    throw new OfflineError(
      `The runtime "${project.runtime.name}" is not supported by offline/runner`,
      "Use nodejs, or the real Pulumi CLI.",
    );
  }
  const folder = programFolder(project);
  const main = resolve(project.root, project.main ?? ".");
  const entry = main === folder ? "." : main;
  const child = options.children.start(
    nodeCommand(options),
    [...nodeArguments(project), runModule(folder), ...flags(options, folder), entry],
    {
      cwd: folder,
      env: programEnvironment(options),
    },
  );
  return { ended: watch(child, options), stop: () => child.stop() };
}

function nodeCommand({ project, environment }: ProgramOptions): string {
  const local = join(project.root, "node_modules", ".bin", "node");
  if (existsSync(local)) return local;
  return environment["PATH"] === undefined ? process.execPath : "node";
}

function nodeArguments(project: Project): string[] {
  const options = project.runtime.options ?? {};
  if (options["typescript"] !== false && usesTypeScriptEntry(project)) {
    throw new OfflineError(
      "runtime.options.typescript (ts-node) is not supported by offline/runner",
      'Set "typescript: false" and "nodeargs: --import tsx" in Pulumi.yaml.',
    );
  }
  const { nodeargs } = options;
  return typeof nodeargs === "string" ? nodeargs.split(/\s+/).filter((part) => part !== "") : [];
}

function usesTypeScriptEntry(project: Project): boolean {
  return project.main?.endsWith(".ts") === true;
}

function runModule(folder: string): string {
  try {
    return createRequire(join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run/index.js");
  } catch {
    throw new OfflineError(
      `@pulumi/pulumi is not installed for the program in ${folder}`,
      "Run npm install.",
    );
  }
}

function flags(options: ProgramOptions, folder: string): string[] {
  const values: readonly (readonly [string, string])[] = [
    ["monitor", options.monitorAddress],
    ["engine", options.engineAddress],
    ["organization", options.organization],
    ["project", options.project.name],
    ["stack", options.stack],
    ["pwd", folder],
    ["root-directory", options.project.root],
    ["parallel", String(options.parallel)],
  ];
  return [
    ...values.flatMap(([name, value]) => [`--${name}`, value]),
    ...(options.preview ? ["--dry-run"] : []),
  ];
}

function programEnvironment({
  config,
  environment,
}: ProgramOptions): Record<string, string | undefined> {
  const values = Object.fromEntries([...config].map(([key, { value }]) => [key, value]));
  const secretKeys = [...config].filter(([, { secret }]) => secret).map(([key]) => key);
  return {
    ...environment,
    PULUMI_CONFIG: JSON.stringify(values),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    PULUMI_NODEJS_TYPESCRIPT: "false",
  };
}

async function watch(child: Child, options: ProgramOptions): Promise<string | undefined> {
  const { stdout, stderr } = child.process;
  const lines = Promise.all([
    forward(stdout, (line) => {
      options.log("info", line);
    }),
    forward(stderr, (line) => {
      options.log("info#err", line);
    }),
  ]);
  const { code, signal } = await child.exit;
  // A child of the program may hold its output open.
  await Promise.race([lines, new Promise((done) => setTimeout(done, 200))]);
  if (code === 0) return undefined;
  if (code === alreadyReported) return "";
  const how = signal === null ? `with exit code ${code ?? "unknown"}` : `by ${signal}`;
  return `The program ended ${how}`;
}

function forward(stream: NodeJS.ReadableStream | null, log: (line: string) => void): Promise<void> {
  if (stream === null) return Promise.resolve();
  const lines = createInterface({ input: stream });
  lines.on("line", log);
  return new Promise((done) => {
    lines.once("close", done);
  });
}
