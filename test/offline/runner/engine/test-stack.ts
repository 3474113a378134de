import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import type {
  ConfigValue,
  EngineEvent,
  ResourceState,
  Snapshot,
  StepEventMetadata,
  UpdateKind,
  UpdateOptions,
  UpdateResult,
} from "../../../../offline/runner/contract.ts";
import { runUpdate } from "../../../../offline/runner/engine/update.ts";
import { pulumiParts } from "../fixtures/pulumi-parts.ts";
import { serveFiles } from "../fixtures/provider/serve-files.ts";
import type { ServedFiles } from "../fixtures/provider/serve-files.ts";

const repository = resolve(import.meta.dirname, "../../../..");
/** Where `npm test` keeps compiled code too. */
const compileCache = join(repository, "node_modules/.cache/berth-tests/node");
const fixtures = join(repository, "test/offline/runner/fixtures");

const prelude = `${pulumiParts}
class File extends pulumi.CustomResource {
  constructor(name, args, opts, type = "files:index:File") { super(type, name, { path: undefined, settings: undefined, name: undefined, ...args }, opts); }
}
class Group extends pulumi.ComponentResource {
  constructor(name, args, opts, type = "test:index:Group") { super(type, name, args ?? {}, opts); }
}
class Files extends pulumi.ProviderResource {
  constructor(name, args, opts) { super("files", name, args, opts); }
}
`;

/** One stack over an in-memory store, with a program that tests write and the \`files\` fixture provider. */
export class TestStack {
  readonly folder: string;
  readonly files: string;
  readonly config = new Map<string, ConfigValue>();
  readonly environment: Record<string, string | undefined>;
  snapshot: Snapshot = { resources: [], pendingOperations: [] };
  saves: Snapshot[] = [];
  events: EngineEvent[] = [];
  plugins: UpdateOptions["project"]["providerPlugins"] = [
    { name: "files", path: join(fixtures, "provider") },
  ];

  #ownPlugins = false;
  #served: ServedFiles | undefined;

  /** `folder` is that of another stack object, whose program it runs. */
  constructor(folder?: string) {
    this.folder = folder ?? mkdtempSync(join(tmpdir(), "runner-engine-"));
    this.files = join(this.folder, "files");
    this.environment = {
      ...process.env,
      FILES_FOLDER: this.files,
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? compileCache,
    };
    if (folder !== undefined) return;
    symlinkSync(join(repository, "node_modules"), join(this.folder, "node_modules"));
    writeFileSync(join(this.folder, "package.json"), '{"type":"module"}');
  }

  /** Writes the program; \`pulumi\`, \`File\`, \`Group\` and \`Files\` (the provider) are there. */
  program(text: string): this {
    writeFileSync(join(this.folder, "index.mjs"), prelude + text);
    return this;
  }

  /** Gives this stack plugin processes of its own: slower, and each provider has settings of its own and can crash. */
  ownPlugins(): this {
    this.#ownPlugins = true;
    return this;
  }

  async #environment(): Promise<Record<string, string | undefined>> {
    if (this.#ownPlugins) return this.environment;
    this.#served ??= await serveFiles(this.files);
    return { ...this.environment, PULUMI_DEBUG_PROVIDERS: `files:${this.#served.port}` };
  }

  async run(kind: UpdateKind, more: Partial<UpdateOptions> = {}): Promise<UpdateResult> {
    this.events = [];
    const environment = await this.#environment();
    return runUpdate({
      kind,
      project: {
        name: "proj",
        root: this.folder,
        runtime: { name: "nodejs", options: { typescript: false } },
        main: "index.mjs",
        providerPlugins: this.plugins,
      },
      stack: "dev",
      config: this.config,
      store: {
        load: () => this.snapshot,
        save: (snapshot) => {
          this.snapshot = snapshot;
          this.saves.push(snapshot);
          return Promise.resolve();
        },
      },
      signal: new AbortController().signal,
      emit: (event) => this.events.push(event),
      environment,
      pulumiHome: join(this.folder, "home"),
      ...more,
    });
  }

  /** Runs an update that must succeed. */
  async good(kind: UpdateKind, more: Partial<UpdateOptions> = {}): Promise<UpdateResult> {
    const result = await this.run(kind, more);
    if (result.result !== "succeeded")
      throw new Error(`${kind} failed:\n${this.diagnostics().join("")}`);
    return result;
  }

  /** Runs an update that must fail; gives all that it said. */
  async bad(kind: UpdateKind, more: Partial<UpdateOptions> = {}): Promise<string> {
    const result = await this.run(kind, more);
    if (result.result !== "failed") throw new Error(`${kind} succeeded and was to fail`);
    return this.diagnostics().join("");
  }

  diagnostics(): string[] {
    return this.events.flatMap((event) =>
      "diagnosticEvent" in event
        ? [`${event.diagnosticEvent.severity}: ${event.diagnosticEvent.message}`]
        : [],
    );
  }

  /** The steps that ended, as \`op name\`. */
  steps(): string[] {
    return this.metadata().map(({ op, urn }) => `${op} ${urn.split("::").at(-1) ?? ""}`);
  }

  /** What the ended steps said of themselves. */
  metadata(): StepEventMetadata[] {
    return this.events.flatMap((event) =>
      "resOutputsEvent" in event ? [event.resOutputsEvent.metadata] : [],
    );
  }

  /** The resource of a name; the one that is not marked for deletion. */
  resource(name: string): ResourceState {
    const found = this.find(name);
    if (found === undefined) throw new Error(`${name} is not in ${this.names().join(", ")}`);
    return found;
  }

  find(name: string): ResourceState | undefined {
    return this.snapshot.resources.find(
      (state) => state.urn.endsWith(`::${name}`) && state.delete !== true,
    );
  }

  /** Names of all resources in the order of the state. */
  names(): string[] {
    return this.snapshot.resources.map(({ urn }) => urn.split("::").at(-1) ?? "");
  }

  /** Calls that the provider got since the last time, as \`method name\`. */
  calls(): string[] {
    const log = join(this.files, "calls.log");
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, "utf8").trim().split("\n");
    rmSync(log);
    return lines;
  }

  /** Files that the provider keeps. */
  stored(): string[] {
    return existsSync(this.files)
      ? readdirSync(this.files).filter((name) => name.endsWith(".json"))
      : [];
  }

  remove(): void {
    this.#served?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
