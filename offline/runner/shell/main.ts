import { userInfo } from "node:os";
import { OfflineError } from "../../offline-error.ts";
import { getConfig, removeConfig, setAllConfig, setConfig, showConfig } from "./config-commands.ts";
import { helpText, parseCommandLine, type CommandLine } from "./flags.ts";
import { showHistory } from "./history.ts";
import { importStack } from "./import-stack.ts";
import {
  exportStack,
  initStack,
  listStacks,
  removeStack,
  selectStack,
  stackOutput,
} from "./stack-commands.ts";
import { Workspace } from "./workspace.ts";

/** The Pulumi CLI whose commands this follows: the first one that sends the Automation API its events over gRPC. */
const version = "v3.206.0";

type Command = (line: CommandLine, workspace: Workspace) => string;

const commands: Readonly<Record<string, Command>> = {
  "stack init": initStack,
  "stack select": selectStack,
  "stack rm": removeStack,
  "stack ls": listStacks,
  "stack output": stackOutput,
  "stack export": exportStack,
  "stack import": importStack,
  "stack history": showHistory,
  stack: (line, workspace) => {
    const stack = workspace.stack(line);
    workspace.backend.read(workspace.project.name, stack);
    return line.has("show-name") ? `${stack}\n` : `Current stack is ${stack}\n`;
  },
  config: showConfig,
  "config get": getConfig,
  "config set": setConfig,
  "config set-all": setAllConfig,
  "config rm": removeConfig,
  "config rm-all": removeConfig,
  cancel: (line, workspace) => {
    const stack = workspace.stack(line);
    const count = workspace.backend.unlock(workspace.project.name, stack);
    return `Removed ${count} lock(s) of '${stack}'\n`;
  },
};

/** Commands that need no project. */
function standAlone(line: CommandLine): string | undefined {
  switch (line.command) {
    case "version":
      return `${version}\n`;
    case "whoami": {
      const user = userInfo().username;
      const url = process.env["PULUMI_BACKEND_URL"] ?? "file://~";
      return line.has("json")
        ? `${JSON.stringify({ user, url, organizations: [] })}\n`
        : `${user}\n`;
    }
    case "plugin ls":
      return "[]\n";
    case "plugin install":
    case "install":
    case "login":
    case "logout":
      return "";
    default:
      return undefined;
  }
}

const updates = { preview: "preview", up: "up", refresh: "refresh", destroy: "destroy" } as const;

function isUpdate(command: string): command is keyof typeof updates {
  return command in updates;
}

async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args);
  if (line.has("help")) {
    process.stdout.write(helpText(line.command));
    return 0;
  }
  const alone = standAlone(line);
  if (alone !== undefined) {
    process.stdout.write(alone);
    return 0;
  }
  if (isUpdate(line.command)) {
    // Loaded here alone: the engine and its gRPC take half a second, and most commands need neither.
    const { update } = await import("./update-commands.ts");
    return update(line, new Workspace(line), updates[line.command]);
  }
  const command = commands[line.command];
  if (command === undefined) {
    throw new OfflineError(
      `pulumi ${line.command} is not supported by this runner.`,
      "docs/runner.md lists what is.",
    );
  }
  process.stdout.write(command(line, new Workspace(line)));
  return 0;
}

try {
  const args = process.argv.slice(2);
  process.exitCode = await run(args.length === 1 && args[0] === "--version" ? ["version"] : args);
} catch (error) {
  const hint = error instanceof OfflineError && error.hint !== undefined ? `\n${error.hint}` : "";
  const text =
    error instanceof OfflineError
      ? error.message
      : error instanceof Error
        ? "code" in error && "syscall" in error
          ? error.message
          : (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`error: ${text}${hint}\n`);
  process.exitCode = 255;
}
