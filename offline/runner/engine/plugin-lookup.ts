import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";

import { OfflineError } from "../../offline-error.ts";
import type { Project } from "../contract.ts";

/** Where plugins are looked for. */
export interface PluginSources {
  readonly project: Project;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pulumiHome?: string | undefined;
}

/** A plugin that was found: a program to start, or a port where one runs already. */
export type PluginLocation =
  | { readonly kind: "executable"; readonly path: string; readonly version: string | undefined }
  | { readonly kind: "port"; readonly port: number };

/**
 * Finds the resource plugin of a package as the real CLI does: PULUMI_DEBUG_PROVIDERS, `plugins.providers` of
 * Pulumi.yaml, PATH, then the plugins that are installed in PULUMI_HOME.
 */
export function findPlugin(name: string, version: string, sources: PluginSources): PluginLocation {
  const port = debugPort(name, sources.environment["PULUMI_DEBUG_PROVIDERS"]);
  if (port !== undefined) return { kind: "port", port };
  const fromProject = projectPlugin(name, sources.project);
  if (fromProject !== undefined) return fromProject;
  const file = `pulumi-resource-${name}`;
  const onPath = pathFolders(sources.environment)
    .map((folder) => join(folder, file))
    .find(isExecutable);
  if (onPath !== undefined) return { kind: "executable", path: onPath, version: undefined };
  const installed = installedPlugin(name, version, pulumiHome(sources));
  if (installed !== undefined) return installed;
  throw new OfflineError(
    `No resource plugin "${name}"${version === "" ? "" : ` of version ${version}`} was found`,
    `Looked for ${file} in plugins.providers of Pulumi.yaml, on PATH and in ${join(pulumiHome(sources), "plugins")}.`,
  );
}

function debugPort(name: string, setting: string | undefined): number | undefined {
  for (const entry of (setting ?? "").split(",")) {
    const [provider, port] = entry.split(":");
    if (provider === name && port !== undefined && /^\d+$/.test(port)) return Number(port);
  }
  return undefined;
}

function projectPlugin(name: string, project: Project): PluginLocation | undefined {
  const entry = project.providerPlugins.find((plugin) => plugin.name === name);
  if (entry === undefined) return undefined;
  const folder = isAbsolute(entry.path) ? entry.path : resolve(project.root, entry.path);
  const path = join(folder, `pulumi-resource-${name}`);
  if (isExecutable(path)) return { kind: "executable", path, version: entry.version };
  throw new OfflineError(
    `Pulumi.yaml says that the plugin "${name}" lies in ${entry.path}, and there is no executable pulumi-resource-${name} there`,
    "Correct plugins.providers of Pulumi.yaml, or make the file executable.",
  );
}

function pathFolders(environment: PluginSources["environment"]): string[] {
  return (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}

function pulumiHome(sources: PluginSources): string {
  return sources.pulumiHome ?? sources.environment["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
}

function installedPlugin(name: string, version: string, home: string): PluginLocation | undefined {
  const prefix = `resource-${name}-v`;
  const folders = listFolder(join(home, "plugins")).filter((folder) => folder.startsWith(prefix));
  const versions = folders
    .map((folder) => folder.slice(prefix.length))
    .filter((found) => /^\d/.test(found));
  const wanted =
    version === ""
      ? versions.toSorted(compareVersions).at(-1)
      : versions.find((found) => found === version);
  if (wanted === undefined) return undefined;
  const path = join(home, "plugins", prefix + wanted, `pulumi-resource-${name}`);
  return isExecutable(path) ? { kind: "executable", path, version: wanted } : undefined;
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
