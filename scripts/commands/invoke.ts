import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import type { Answer } from "../invoke/answer.ts";
import type { ModelClient } from "../invoke/model-client.ts";
import { fillTemplate, isTemplate, type Question } from "../invoke/question.ts";
import { openHostModel } from "../adapters/host-model.ts";
import { openModel } from "../stack/model-of-stack.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { outputsOfHost, type HostOption } from "../stack/stack-hosts.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth invoke`. */
export interface InvokeOptions extends StackOptions, HostOption {
  readonly maxTokens: string;
  readonly temperature?: string;
  readonly topP?: string;
  readonly template?: string;
  /** Which of an endpoint's several models, or variants, is asked. */
  readonly model?: string;
  readonly variant?: string;
  /** Where a picture goes. */
  readonly out?: string;
  /** Whether to print the answer as it is made; `--no-stream` waits for the whole. */
  readonly stream?: boolean;
}

function numberIn(
  problems: string[],
  [flag, text]: readonly [string, string | undefined],
  [least, most]: readonly [number, number],
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= least && value <= most)) {
    problems.push(`${flag}: "${text}" is no number from ${least} to ${most}`);
  }
  return value;
}

/**
 * The question that a command line asks.
 *
 * @throws UserError naming every flag that is wrong
 */
export function questionOf(words: readonly string[], options: InvokeOptions): Question {
  const problems: string[] = [];
  const text = words.join(" ");
  if (text.trim() === "") problems.push("the prompt is missing");
  const temperature = numberIn(problems, ["--temperature", options.temperature], [0, 2]);
  const topP = numberIn(problems, ["--top-p", options.topP], [0, 1]);
  const maxTokens = numberIn(problems, ["--max-tokens", options.maxTokens], [1, 1_000_000]) ?? 1;
  if (!Number.isInteger(maxTokens)) problems.push("--max-tokens: must be a whole number");
  if (options.template !== undefined && !isTemplate(options.template)) {
    problems.push(`--template: "${options.template}" has no {prompt} in it`);
  }
  if (problems.length > 0) {
    throw new UserError("The model cannot be asked so.", {
      problems,
      hint: 'Such as: npm run berth -- invoke "Why is the sky blue?" --temperature 0.7',
    });
  }
  return { prompt: fillTemplate(options.template, text), maxTokens, temperature, topP };
}

async function streamed(
  model: ModelClient,
  question: Question,
  terminal: Terminal,
): Promise<Answer> {
  let text = "";
  let tokens: number | undefined;
  for await (const part of model.stream(question)) {
    terminal.write(part.text);
    text += part.text;
    tokens = part.tokens ?? tokens;
  }
  terminal.write("\n");
  return { text, tokens };
}

/** Asks an image model, and writes its picture; a file that is there is not written over. */
async function invokePicture(
  outputs: BerthOutputs,
  { prompt, out = "picture.png" }: { prompt: string; out?: string | undefined },
  terminal: Terminal,
): Promise<number> {
  if (existsSync(out)) {
    throw new UserError(`${out} is there already.`, { hint: "Name another file with --out." });
  }
  const { url = "", apiToken: token, certificate } = outputs;
  const model = await openHostModel({ target: sshTarget(outputs), url, token, certificate });
  try {
    const picture = await model.picture(prompt);
    await writeFile(out, picture, { flag: "wx" });
    terminal.say(`${out}: ${picture.length} bytes`);
    terminal.result({ prompt, file: out, bytes: picture.length });
    return exitCode.ok;
  } finally {
    model.close();
  }
}

/** `berth invoke <prompt>`: asks the model of a stack, and prints the answer as it is made. */
export async function runInvoke(
  words: readonly string[],
  options: InvokeOptions,
  terminal: Terminal,
): Promise<number> {
  // What is wrong with the flags is said before anything is asked for.
  questionOf(words, options);
  const { env } = options;
  const cloud = cloudOf(env);
  const opened = await findDeployment(options, cloud);
  const all = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  const outputs = outputsOfHost(all, options);
  const template = options.template ?? outputs.promptTemplate;
  const question = questionOf(words, template === undefined ? options : { ...options, template });
  if (outputs.plan?.engine === "diffusers")
    return invokePicture(outputs, { prompt: question.prompt, out: options.out }, terminal);
  // A host is asked over SSH, whatever account it is in, if any.
  const scope = () => accountOf(env, regionOfStack(env), cloud);
  const client = outputs.machineId === undefined ? scope().client : { region: "" };
  const tell = (line: string): void => {
    terminal.complain(line);
  };
  const { model: named, variant } = options;
  const model = await openModel(outputs, client, { tell, model: named, variant });
  const began = performance.now();
  try {
    const whole = options.stream === false || terminal.json;
    const answer = whole ? await model.ask(question) : await streamed(model, question, terminal);
    if (whole) terminal.say(answer.text);
    terminal.result({ ...question, ...answer, seconds: (performance.now() - began) / 1000 });
    return exitCode.ok;
  } finally {
    model.close();
  }
}
