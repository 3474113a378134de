import { UserError } from "../../components/user-error.ts";
import { runOperation } from "../adapters/run-operation.ts";
import { runSsh } from "../adapters/ssh.ts";
import { readStackConfig } from "../adapters/stack-file.ts";
import { readStackState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { confirmDown } from "../teardown/confirm-down.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { openModel } from "../stack/model-of-stack.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { printedOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

function loginOf({ user = "?", address = "?", sshPort = 22 }: BerthOutputs): string {
  return `${user}@${address}${sshPort === 22 ? "" : `:${sshPort}`}`;
}

/** What an `up` on a machine that was there already turned out to be. */
export function machineLines(outputs: BerthOutputs, env: string): readonly string[] {
  const { weightsUri = "?", url = "?" } = outputs;
  return [
    `machine    ${loginOf(outputs)}`,
    `weights    from ${weightsUri}`,
    `answers    ${url} on the machine; ask it with: npm run berth -- invoke --env ${env} "your prompt"`,
    `ends       never by itself; take it down with: npm run berth -- down --env ${env}`,
  ];
}

interface Answer {
  readonly answers: boolean;
  readonly detail: string;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the machine lets us in. */
async function probeMachine(outputs: BerthOutputs): Promise<Answer> {
  try {
    const { code, stderr } = await runSsh(sshTarget(outputs), { command: ["true"], capture: true });
    const why = stderr.trim().split("\n").at(-1) ?? `status ${code}`;
    return { answers: code === 0, detail: code === 0 ? "over SSH" : why };
  } catch (error) {
    return { answers: false, detail: reason(error) };
  }
}

/** Asks the model for one token. */
async function probeModel(outputs: BerthOutputs): Promise<Answer> {
  const began = performance.now();
  try {
    const model = await openModel(outputs, { region: "" });
    try {
      await model.ask({ prompt: "Hello", maxTokens: 1 });
    } finally {
      model.close();
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    return { answers: true, detail: `one token in ${seconds} s, through SSH` };
  } catch (error) {
    return { answers: false, detail: reason(error) };
  }
}

interface Asked {
  readonly env: string;
  readonly outputs: BerthOutputs;
  /** Whether to log in. @default true */
  readonly asks: boolean | undefined;
}

/** `berth status` of a machine that was there already: no account is asked. */
export async function statusOfMachine(
  { env, outputs, asks = true }: Asked,
  terminal: Terminal,
): Promise<number> {
  const { plan, owner = "?" } = outputs;
  terminal.say(`model      ${plan?.modelId ?? "?"} for ${owner}`);
  const machine = asks ? await probeMachine(outputs) : undefined;
  const state =
    machine === undefined ? "not asked" : machine.answers ? "answers" : "does not answer";
  const detail = machine === undefined ? "" : ` (${machine.detail})`;
  terminal.say(`machine    ${loginOf(outputs)} ${state}${detail}`);
  const answer = machine?.answers === true ? await probeModel(outputs) : undefined;
  if (answer !== undefined)
    terminal.say(`answers    ${answer.answers ? "yes" : "no"} (${answer.detail})`);
  terminal.result({
    env,
    machine: machine ?? null,
    answer: answer ?? null,
    outputs: printedOutputs(outputs),
  });
  return exitCode.ok;
}

/** Flags of `berth down`, as far as a machine has a use for them. */
interface MachineDownOptions extends StackOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly ifOver?: boolean;
  readonly save?: readonly string[];
  readonly ifClosed?: boolean;
}

function refuseProtected({ env, force }: MachineDownOptions): void {
  const setting = readStackConfig(env)?.["berth:protect"] ?? /^prod(-|$)/.test(env);
  if (force === true || (setting !== true && setting !== "true")) return;
  throw new UserError(`"${env}" is protected.`, {
    hint: "Set berth:protect to false in its file, or give --force.",
  });
}

/**
 * `berth down` of a machine that was there already: the server is stopped, berth's own files are removed, and what stays on the
 * machine is said.
 */
export async function downFromMachine(
  options: MachineDownOptions,
  terminal: Terminal,
): Promise<number> {
  if ((options.save ?? []).length > 0) {
    throw new UserError("A machine that is there already keeps its files.", {
      hint: "Leave --save out.",
    });
  }
  const { env } = options;
  if (options.ifOver === true || options.ifClosed === true) {
    terminal.say(`"${env}" has no lease; nothing was done.`);
    terminal.result({ env, over: false, expiresAt: "" });
    return exitCode.ok;
  }
  const opened = await findDeployment(options, undefined);
  const state = opened === undefined ? undefined : await readStackState(opened.stack);
  if (opened === undefined || state === undefined || state.resources === 0) {
    throw new UserError(`"${env}" is not deployed.`, {
      hint: `Deploy it with: npm run berth -- up --env ${env}`,
    });
  }
  if (state.text.includes("pulumi:providers:aws")) {
    throw new UserError(`"${env}" still has resources of AWS: its target was changed under it.`, {
      hint: "Set berth:target back to what it was, take the stack down, and change it then.",
    });
  }
  refuseProtected(options);
  terminal.say(
    `goes       the model server and berth's own files; ${state.resources} resources of the state`,
  );
  await confirmDown(options);
  const { engine, stack } = opened;
  terminal.say(`down "${env}" with the ${engine.name} engine ${engine.version}`);
  const { steps, seconds, warnings } = await runOperation({
    name: "down",
    terminal,
    next: "Run it again when the machine answers.",
    work: (hooks) => stack.destroy({ ...hooks, color: "never" }),
  });
  const stays = warnings.flatMap((line) => /stays: (.*)/.exec(line)?.[1] ?? []);
  terminal.say(
    "",
    `done       ${steps.length} steps in ${seconds.toFixed(1)} s`,
    stays.length === 0
      ? "stays      nothing of berth's on the machine"
      : `stays      ${stays.length} things on the machine, named above`,
  );
  terminal.result({ destroyed: steps, stays });
  return exitCode.ok;
}
