import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { OfflineError } from "../../offline-error.ts";
import type { Project } from "../contract.ts";

interface ProjectDocument {
  readonly name?: string;
  readonly runtime?: string | { readonly name: string; readonly options?: Record<string, unknown> };
  readonly main?: string;
  readonly stackConfigDir?: string;
  readonly plugins?: { readonly providers?: Project["providerPlugins"] };
}

/** A project, and where its stacks' settings lie. */
export interface ProjectFile {
  readonly project: Project;
  readonly settingsFolder: string;
}

/** The nearest Pulumi.yaml at or above a folder. @throws OfflineError when there is none, or it is not for Node */
export function readProject(start: string): ProjectFile {
  let root = start;
  while (!existsSync(join(root, "Pulumi.yaml"))) {
    const above = dirname(root);
    if (above === root) {
      throw new OfflineError(
        `no Pulumi.yaml project file found in ${start} or above`,
        "Run it in the project's folder, or name that with --cwd.",
      );
    }
    root = above;
  }
  const document = (parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) ??
    {}) as ProjectDocument;
  const { name, main, runtime } = document;
  if (name === undefined) throw new OfflineError(`${join(root, "Pulumi.yaml")} has no name.`);
  const { name: language, options } =
    typeof runtime === "string"
      ? { name: runtime, options: {} }
      : { options: {}, name: "", ...runtime };
  if (language !== "nodejs") {
    throw new OfflineError(
      `The runtime "${language}" is not supported: this runner runs nodejs programs.`,
      "Use the Pulumi CLI.",
    );
  }
  const providerPlugins = document.plugins?.providers ?? [];
  return {
    project: { name, root, main, runtime: { name: language, options }, providerPlugins },
    settingsFolder: join(root, document.stackConfigDir ?? "."),
  };
}
