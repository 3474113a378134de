import type * as grpc from "@grpc/grpc-js";
import { createInterface } from "node:readline";

import { OfflineError } from "../../offline-error.ts";
import type { Child, ChildProcesses, Exit } from "./child-processes.ts";
import { connect } from "./grpc.ts";
import { findPlugin } from "./plugin-lookup.ts";
import type { PluginSources } from "./plugin-lookup.ts";
import { timeouts } from "./timeouts.ts";

/** A plugin that answers calls. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly client: grpc.Client;
  /** How its process ended; undefined while it runs. */
  ended(): Exit | undefined;
  stop(): Promise<void>;
}

/** What a host of plugins needs. */
export interface PluginHostOptions {
  readonly sources: PluginSources;
  readonly children: ChildProcesses;
  /** Address of the engine's own service, passed to every plugin. */
  readonly engineAddress: () => string;
  /** Folder that plugins run in. */
  readonly folder: string;
  /** Called for each line that a plugin writes besides its port. */
  log(plugin: string, line: string, severity: "info" | "info#err"): void;
}

/** Starts provider plugins: the port comes on standard output, the engine's address goes in as the last argument. */
export class PluginHost {
  readonly #options: PluginHostOptions;
  readonly #plugins = new Map<string, { name: string; path: string; version: string }>();

  constructor(options: PluginHostOptions) {
    this.#options = options;
  }

  /** The plugins that ran, each name and version once. */
  plugins(): { name: string; path: string; version: string }[] {
    return [...this.#plugins.values()];
  }

  /** Starts one more process of a package's plugin. `version` "" means any. */
  async start(name: string, version: string): Promise<Plugin> {
    const location = findPlugin(name, version, this.#options.sources);
    if (location.kind === "port") {
      const client = connect(`127.0.0.1:${location.port}`);
      return attached(name, version, `port ${location.port}`, client);
    }
    const { path } = location;
    const child = this.#options.children.start(path, [this.#options.engineAddress()], {
      cwd: this.#options.folder,
      env: this.#options.sources.environment,
    });
    const port = await this.#readPort(name, path, child);
    const found = version === "" ? (location.version ?? "") : version;
    this.#plugins.set(`${name}@${found}`, { name, path, version: found });
    return running(name, found, path, child, port);
  }

  async #readPort(name: string, path: string, child: Child): Promise<number> {
    const { stdout, stderr } = child.process;
    if (stdout === null || stderr === null) throw new Error("a plugin was started without pipes");
    const errors: string[] = [];
    createInterface({ input: stderr }).on("line", (line) => {
      if (errors.length < 20) errors.push(line);
      this.#options.log(name, line, "info#err");
    });
    const lines = createInterface({ input: stdout });
    const first = await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(resolve, timeouts().pluginStart * 1000, undefined);
      const finish = (line: string | undefined): void => {
        clearTimeout(timer);
        resolve(line);
      };
      lines.once("line", finish);
      void child.exit.then(() => {
        // Gives what was written last the time to arrive.
        setTimeout(finish, 50, undefined);
      });
    });
    if (first === undefined || !/^\s*\d+\s*$/.test(first)) {
      child.kill();
      throw startError(name, path, first, errors, child.process.exitCode);
    }
    lines.on("line", (line) => {
      this.#options.log(name, line, "info");
    });
    return Number(first.trim());
  }
}

function startError(
  name: string,
  path: string,
  first: string | undefined,
  errors: readonly string[],
  exitCode: number | null,
): OfflineError {
  const wrote = first === undefined ? "" : `; it wrote "${first.slice(0, 200)}" instead of a port`;
  const ended = exitCode === null ? "did not say its port" : `ended with exit code ${exitCode}`;
  const last = errors.slice(-5).join("\n");
  return new OfflineError(
    `The resource plugin "${name}" ${ended}${wrote}${last === "" ? "" : `:\n${last}`}`,
    `It was started as ${path}.`,
  );
}

function running(name: string, version: string, path: string, child: Child, port: number): Plugin {
  const client = connect(`127.0.0.1:${port}`);
  let exit: Exit | undefined;
  void child.exit.then((ended) => {
    exit = ended;
  });
  return {
    name,
    version,
    path,
    client,
    ended: () => exit,
    stop: async () => {
      client.close();
      await child.stop();
    },
  };
}

function attached(name: string, version: string, path: string, client: grpc.Client): Plugin {
  return {
    name,
    version,
    path,
    client,
    ended: () => undefined,
    stop: () => {
      client.close();
      return Promise.resolve();
    },
  };
}
