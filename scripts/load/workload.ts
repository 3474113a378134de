import { readFile } from "node:fs/promises";
import { UserError } from "../../components/user-error.ts";
import type { LoadRequest } from "./load-target.ts";

/** How many tokens: one count, or anything between two, all as likely. */
export interface TokenCount {
  readonly least: number;
  readonly most: number;
}

/** Where the requests of a load test come from. */
export interface Workload {
  /** The next one. */
  next(): LoadRequest;
  /** Learns from the server how many tokens a prompt had; without a count it stays at a token a word. */
  learn(request: LoadRequest, promptTokens: number | undefined): void;
}

/** Short words that common vocabularies have as one token each. */
const words = (
  "time year people way day man thing woman life child world school state family student group country problem hand part " +
  "place case week company system program question work government number night point home water room mother area money " +
  "story fact month lot right study book eye job word business issue side kind head house service friend father power hour " +
  "game line end member law car city name team minute idea body back parent face others level office door health person art"
).split(" ");

/** Numbers from 0 to 1 that are the same for the same seed: a linear congruence, of which the high bits are used. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function draw({ least, most }: TokenCount, random: () => number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** Prompts of random words, so that no cache of prefixes has seen one before. */
export function syntheticWorkload(shape: {
  readonly promptTokens: TokenCount;
  readonly answerTokens: TokenCount;
  readonly seed: number;
}): Workload {
  const random = seededRandom(shape.seed);
  let tokensPerWord = 1;
  return {
    next: () => {
      const count = Math.max(1, Math.round(draw(shape.promptTokens, random) / tokensPerWord));
      const drawn = Array.from({ length: count }, () => words[Math.floor(random() * words.length)]);
      return { prompt: drawn.join(" "), answerTokens: draw(shape.answerTokens, random) };
    },
    learn: ({ prompt }, promptTokens) => {
      if (promptTokens !== undefined && promptTokens > 0) {
        tokensPerWord = promptTokens / prompt.split(" ").length;
      }
    },
  };
}

interface PromptLine {
  readonly prompt: string;
  readonly answerTokens: number | undefined;
}

function readLine(line: string): PromptLine {
  if (!line.startsWith("{")) return { prompt: line, answerTokens: undefined };
  const { prompt, max_tokens: most } = JSON.parse(line) as {
    prompt?: unknown;
    max_tokens?: unknown;
  };
  if (typeof prompt !== "string" || prompt.trim() === "") throw new Error('"prompt" is no text');
  if (most === undefined) return { prompt, answerTokens: undefined };
  if (typeof most !== "number" || !Number.isInteger(most) || most < 1) {
    throw new Error('"max_tokens" is no whole number above 0');
  }
  return { prompt, answerTokens: most };
}

/** As many problems are told. */
const problemsTold = 10;

/**
 * Prompts of a file, one a line: text, or JSON with `prompt` and, if wanted, `max_tokens`. They come in an order that the
 * seed decides, over and over.
 *
 * @throws UserError naming each line that is wrong
 */
export async function fileWorkload(
  path: string,
  { answerTokens, seed }: { readonly answerTokens: TokenCount; readonly seed: number },
): Promise<Workload> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`The prompts in ${path} cannot be read.`, { cause });
  });
  const problems: string[] = [];
  const prompts = text.split(/\r?\n/).flatMap((line, index): PromptLine[] => {
    if (line.trim() === "") return [];
    try {
      return [readLine(line.trim())];
    } catch (error) {
      problems.push(`line ${index + 1}: ${error instanceof Error ? error.message : "is wrong"}`);
      return [];
    }
  });
  if (problems.length === 0 && prompts.length === 0) problems.push("it has no prompt");
  if (problems.length > 0) {
    const more = problems.length - problemsTold;
    const told = problems.slice(0, problemsTold);
    throw new UserError(`The prompts in ${path} cannot be used.`, {
      problems: more > 0 ? [...told, `and ${more} more lines`] : told,
      hint: 'A line is a prompt, or JSON such as {"prompt": "Why?", "max_tokens": 64}.',
    });
  }
  const random = seededRandom(seed);
  return {
    next: () => {
      const { prompt = "", answerTokens: own } =
        prompts[Math.floor(random() * prompts.length)] ?? {};
      return { prompt, answerTokens: own ?? draw(answerTokens, random) };
    },
    learn: () => undefined,
  };
}
