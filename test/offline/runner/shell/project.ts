import { execFile, type ExecFileException } from "node:child_process";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pulumiParts } from "../fixtures/pulumi-parts.ts";

const repository = resolve(import.meta.dirname, "../../../..");
export const shell = join(repository, "offline/runner/shell");
export const secretText = "a-secret-that-must-not-be-seen";

const program = `${pulumiParts}
const config = new pulumi.Config();
class File extends pulumi.CustomResource {
  constructor(name, args) { super("files:index:File", name, { path: undefined, settings: undefined, name: undefined, ...args }); }
}
const delayMs = config.getNumber("delayMs");
new File("one", { content: config.requireSecret("password"), ...(delayMs === undefined ? {} : { delayMs }) });
export const password = config.requireSecret("password");
export const greeting = config.get("greeting") ?? "none";
`;

interface CheckpointResource {
  readonly urn: string;
  readonly custom: boolean;
  readonly parent?: string;
  readonly provider?: string;
  readonly id?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
}

/**
 * What the CLI would refuse in an export ("snapshot integrity"): whatever a resource refers to stands before it, a provider is
 * referred to by its URN and its id, and no URN is there twice.
 */
export function integrityProblems(exported: string): readonly string[] {
  const { deployment } = JSON.parse(exported) as {
    deployment: { resources: readonly CheckpointResource[] };
  };
  const seen = new Map<string, string>();
  return deployment.resources.flatMap((resource) => {
    const { urn, parent, provider, dependencies = [], propertyDependencies = {} } = resource;
    const named = [...(parent === undefined ? [] : [parent]), ...dependencies];
    const all = [...named, ...Object.values(propertyDependencies).flat()];
    const problems = all.filter((each) => !seen.has(each)).map((each) => `${urn} before ${each}`);
    if (resource.custom && provider !== undefined && provider !== "") {
      const at = provider.lastIndexOf("::");
      if (seen.get(provider.slice(0, at)) !== provider.slice(at + 2))
        problems.push(`${urn}: no provider ${provider}`);
    }
    if (seen.has(urn)) problems.push(`${urn} twice`);
    seen.set(urn, resource.id ?? "");
    return problems;
  });
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a folder of its own, and the runner at its shell. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "berth-runner-shell-"));
  readonly environment: Record<string, string>;

  constructor() {
    const plugin = join(repository, "test/offline/runner/fixtures/provider");
    symlinkSync(join(repository, "node_modules"), join(this.folder, "node_modules"));
    writeFileSync(join(this.folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(this.folder, "index.mjs"), program);
    writeFileSync(
      join(this.folder, "Pulumi.yaml"),
      `name: proj\nruntime: {name: nodejs, options: {typescript: false}}\nmain: index.mjs\nplugins: {providers: [{name: files, path: ${plugin}}]}\n`,
    );
    this.environment = {
      PULUMI_BACKEND_URL: `file://${this.folder}/state`,
      PULUMI_HOME: join(this.folder, "home"),
      PULUMI_CONFIG_PASSPHRASE: "right",
      FILES_FOLDER: join(this.folder, "files"),
    };
  }

  /** Runs the runner, or another `pulumi`, in the project's folder. */
  run(
    args: readonly string[],
    more: Record<string, string> = {},
    command = join(shell, "bin/pulumi"),
  ): Promise<Ended> {
    const env = { ...process.env, ...this.environment, ...more };
    return new Promise((done) => {
      const ended = (error: ExecFileException | null, stdout: string, stderr: string) => {
        done({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
      };
      execFile(command, [...args], { cwd: this.folder, env }, ended);
    });
  }

  /** All text under the backend's folder and the stack file. */
  written(): string {
    const state = join(this.folder, "state");
    const files = readdirSync(state, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), "utf8"));
    return [...texts, readFileSync(join(this.folder, "Pulumi.dev.yaml"), "utf8")].join("\n");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
