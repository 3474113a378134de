import { resolve } from "node:path";
import { OfflineError } from "../../offline-error.ts";
import type { Project, Snapshot } from "../contract.ts";
import { FileBackend, Selection } from "./backend.ts";
import { fromDeployment } from "./checkpoint.ts";
import type { CommandLine } from "./flags.ts";
import { readProject } from "./project-file.ts";
import { StackSettings } from "./stack-settings.ts";

/** Short name of a stack that may be given as organization/project/stack. */
export function shortName(name: string): string {
  return name.split("/").at(-1) ?? name;
}

/** The project that a command runs in, its backend and its selected stack. */
export class Workspace {
  readonly project: Project;
  readonly backend: FileBackend;
  readonly selection: Selection;
  readonly #settingsFolder: string;
  /** One object a stack: it remembers the ciphertexts that it has opened, and unchanged secrets keep theirs. */
  readonly #settings = new Map<string, StackSettings>();

  constructor(line: CommandLine) {
    const { project, settingsFolder } = readProject(resolve(line.text("cwd") ?? "."));
    this.project = project;
    this.#settingsFolder = settingsFolder;
    this.backend = new FileBackend(process.env["PULUMI_BACKEND_URL"]);
    this.selection = new Selection(project.name, project.root);
  }

  /** The stack that the command is for. @throws OfflineError when none is named or selected */
  stack(line: CommandLine): string {
    const name = line.text("stack") ?? process.env["PULUMI_STACK"] ?? this.selection.get();
    if (name !== undefined) return shortName(name);
    throw new OfflineError(
      "no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one",
    );
  }

  settingsOf(stack: string, file?: string): StackSettings {
    const known = this.#settings.get(stack);
    if (known !== undefined) return known;
    const made = new StackSettings(this.#settingsFolder, stack, file);
    this.#settings.set(stack, made);
    return made;
  }

  settings(line: CommandLine): StackSettings {
    return this.settingsOf(this.stack(line), line.text("config-file"));
  }

  snapshot(line: CommandLine): Snapshot {
    const stack = this.stack(line);
    const deployment = this.backend.read(this.project.name, stack);
    return fromDeployment(deployment, () => this.settings(line).secrets());
  }
}
