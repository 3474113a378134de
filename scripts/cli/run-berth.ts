import { Command, CommanderError, Option } from "commander";
import { Terminal, processSinks, type TextSinks } from "../adapters/terminal.ts";
import { explainError } from "./command-error.ts";
import type { CommandRow, Flags } from "../command-rows/row.ts";
import { commandGroups } from "./command-table.ts";
import packageOfBerth from "../../package.json" with { type: "json" };
import { exitCode } from "./exit-code.ts";
import { firstSteps } from "./first-steps.ts";

function addCommand(program: Command, row: CommandRow, sinks: TextSinks, end: EndOf): void {
  const command = program.command(row.syntax).description(row.summary);
  for (const [flag, meaning, initial, choices] of row.flags) {
    const option = new Option(flag, meaning);
    if (choices !== undefined) option.choices(choices);
    command.addOption(initial === undefined ? option : option.default(initial));
  }
  command.option("--json", "one JSON document on the standard output, and nothing else there");
  command.action(async () => {
    const { json = false, ...flags } = command.opts<Flags & { json?: boolean }>();
    const words = command.args;
    end(await runRow(row, { words, flags, terminal: new Terminal(json, sinks) }));
  });
}

/** A command in a list: its name and what it takes. */
function termOf(command: Command): string {
  const words = command.registeredArguments.map((each) => {
    const name = each.variadic ? `${each.name()}...` : each.name();
    return each.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...words].join(" ");
}

type EndOf = (code: number) => void;

interface Call {
  readonly words: readonly string[];
  readonly flags: Flags;
  readonly terminal: Terminal;
}

async function runRow(row: CommandRow, { words, flags, terminal }: Call): Promise<number> {
  try {
    return await row.run(words, flags, terminal);
  } catch (error) {
    const { code, text, json } = explainError(error);
    terminal.complain(text);
    terminal.result(json);
    return code;
  }
}

function usageError({ message }: CommanderError): unknown {
  const hint = "berth --help names every command; berth <command> --help every flag of one.";
  return { error: { kind: "usage", message: message.replace(/^error: /, ""), problems: [], hint } };
}

/** Runs one command line, without the words before the command. @returns the exit code */
export async function runBerth(
  words: readonly string[],
  sinks: TextSinks = processSinks,
): Promise<number> {
  const program = new Command("berth")
    .description(
      "From a model's name to a running, priced and time-limited GPU host, and down again.",
    )
    .version(packageOfBerth.version, "--version", "print the version")
    .exitOverride()
    .addHelpCommand(
      new Command("help").argument("[command]").description("its flags").helpGroup("More:"),
    )
    // Every command has options: to say so of each takes the room of what it does.
    .configureHelp({ subcommandTerm: termOf })
    .configureOutput({ writeOut: sinks.out, writeErr: sinks.err })
    .showHelpAfterError("(--help shows what there is)")
    .enablePositionalOptions();
  if (words.length === 0) {
    sinks.err(firstSteps);
    return exitCode.usage;
  }
  let code: number = exitCode.ok;
  for (const { heading, rows } of commandGroups) {
    program.commandsGroup(heading);
    for (const row of rows) addCommand(program, row, sinks, (ended) => (code = ended));
  }
  for (const command of program.commands) {
    command.exitOverride().showHelpAfterError("(--help shows what there is)");
    if (command.name() === "ssh") command.passThroughOptions();
  }
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCode.ok;
    // Its text is on the standard error by now; a program reads the standard output.
    new Terminal(words.includes("--json"), sinks).result(usageError(error));
    return exitCode.usage;
  }
  return code;
}
