import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as tokenizers from "@huggingface/tokenizers";
import type { Range } from "../../components/range.ts";
import { UserError } from "../../components/user-error.ts";
import { textsOf, type Sample } from "./sample.ts";

/** What is used of the package; its own types import without extensions, which Node's way of resolving does not follow. */
interface ModelTokenizer {
  encode(text: string): { readonly ids: readonly number[] };
}
const { Tokenizer } = tokenizers as unknown as {
  readonly Tokenizer: new (tokenizer: object, config: object) => ModelTokenizer;
};

/** How many tokens a sample has. */
export interface TokenCounter {
  /** Where the count is from, for the report. */
  readonly source: string;
  count(sample: Sample): Range;
}

/** Tokens that a chat template puts around a turn: its marks, the role's name and an end. */
const turnTokens = 5;
/** Letters that are counted by the tokenizer itself; what follows is taken to be alike. */
const countedLetters = 20_000_000;

/**
 * Characters of a token where no tokenizer is given, on the cautious side both ways: English prose has about four in an
 * ASCII token, code and numbers fewer; scripts beyond ASCII have from a third of a token to two in each character.
 */
const ascii = { low: 1 / 5, high: 1 / 2 };
const beyondAscii = { low: 0.3, high: 2 };

function turnsOf(sample: Sample): number {
  return sample.schema === "text" ? 1 : textsOf(sample).length * turnTokens;
}

/** A range by the characters alone. */
export const byCharacters: TokenCounter = {
  source: "by its characters; a tokenizer.json would count them (--tokenizer)",
  count(sample) {
    const text = textsOf(sample).join("");
    const other = text.length - (text.match(/[\u0000-\u007f]/g)?.length ?? 0);
    const plain = text.length - other;
    const turns = turnsOf(sample);
    return {
      low: Math.floor(plain * ascii.low + other * beyondAscii.low) + turns,
      high: Math.ceil(plain * ascii.high + other * beyondAscii.high) + turns,
    };
  },
};

/** Counts by a model's own tokenizer, and after {@link countedLetters} by the ratio that it found until then. */
class ByTokenizer implements TokenCounter {
  readonly #tokenizer: ModelTokenizer;
  #letters = 0;
  #tokens = 0;

  constructor(tokenizer: ModelTokenizer) {
    this.#tokenizer = tokenizer;
  }

  get source(): string {
    return this.#letters < countedLetters
      ? "by the tokenizer"
      : `by the tokenizer for the first ${countedLetters / 1e6} M letters, then by their ratio`;
  }

  count(sample: Sample): Range {
    const texts = textsOf(sample);
    const letters = texts.reduce((sum, text) => sum + text.length, 0);
    if (this.#letters >= countedLetters) {
      const like = (letters * this.#tokens) / this.#letters + turnsOf(sample);
      return { low: Math.floor(like * 0.8), high: Math.ceil(like * 1.25) };
    }
    const tokens = texts.reduce((sum, text) => sum + this.#tokenizer.encode(text).ids.length, 0);
    this.#letters += letters;
    this.#tokens += tokens;
    return { low: tokens + turnsOf(sample), high: tokens + turnsOf(sample) };
  }
}

function readJson(path: string): object {
  return JSON.parse(readFileSync(path, "utf8")) as object;
}

/**
 * The counter of a `tokenizer.json`, or of a folder that has one.
 *
 * @throws UserError when there is none, or it cannot be used
 */
export function tokenizerAt(path: string): TokenCounter {
  try {
    const folder = statSync(path).isDirectory();
    const file = folder ? join(path, "tokenizer.json") : path;
    return new ByTokenizer(new Tokenizer(readJson(file), {}));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`The tokenizer at ${path} cannot be used: ${reason}`, {
      hint: "Give a tokenizer.json of Hugging Face's tokenizers, or a folder that has one; without it a range is given.",
      cause,
    });
  }
}
