import { statSync } from "node:fs";
import { extname } from "node:path";
import type { Range } from "../../components/range.ts";
import { UserError } from "../../components/user-error.ts";
import { contentHash, DuplicateFinder } from "./duplicates.ts";
import { longestLineBytes, readLines, type DataLine } from "./line-reader.ts";
import { findPersonalData, maskPersonalData, personalDataIn } from "./personal-data.ts";
import { ProblemList, type ProblemGroup } from "./problem-list.ts";
import { parseSample, textsOf, withTexts, type Sample } from "./sample.ts";
import { byCharacters, type TokenCounter } from "./token-counter.ts";

/** What is asked of a data set. */
export interface DatasetQuestion {
  readonly path: string;
  /** @default a range by characters */
  readonly counter?: TokenCounter | undefined;
  /** Tokens of a sequence of the training; undefined checks no length. */
  readonly maxTokens?: number | undefined;
  /** Parameters of the model, for the rule of how many samples there should be. */
  readonly parameters?: number | undefined;
  /** Share of the samples that is kept to validate. @default 0 */
  readonly validationShare?: number | undefined;
  /** Of the split. @default 42 */
  readonly seed?: number | undefined;
  /** Personal data are replaced by their kind. @default false */
  readonly mask?: boolean | undefined;
  /** Broken lines are left out and only warned of. @default false */
  readonly skipBroken?: boolean | undefined;
  /** Problems of each kind that are shown. @default 10 */
  readonly shown?: number | undefined;
  /** Is told now and then how much of the file is read, from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Takes the samples as they are to be learnt. */
export interface SampleSink {
  write(part: "train" | "validation", sample: Sample): Promise<void>;
}

/** What a data set holds, and everything that is wrong with it. */
export interface DatasetReport {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
  readonly schema: string | undefined;
  /** Samples that can be learnt from. */
  readonly samples: number;
  readonly trainSamples: number;
  readonly validationSamples: number;
  /** Of the samples that are trained on. */
  readonly trainTokens: Range;
  readonly tokenSource: string;
  readonly longest: { readonly line: number; readonly tokens: Range } | undefined;
  readonly problems: readonly ProblemGroup[];
  readonly usable: boolean;
}

/**
 * Fewer samples than this are seen so often that a model of 7 billion parameters learns them by heart, words and all, instead
 * of what they have in common.
 */
const fewestSamples = { parameters: 6.5e9, samples: 10_000 } as const;

function formatOf(path: string): "jsonl" | "txt" {
  const extension = extname(path).toLowerCase();
  if (extension === ".jsonl") return "jsonl";
  if (extension === ".txt") return "txt";
  throw new UserError(`${path} is no .jsonl and no .txt file.`, {
    hint: "Give one sample a line: JSON objects in a .jsonl file, or plain text in a .txt file.",
  });
}

function sizeOf(path: string): number {
  try {
    const stats = statSync(path);
    if (stats.isFile()) return stats.size;
  } catch (cause) {
    throw new UserError(`${path} cannot be read.`, { hint: "Give a file that is there.", cause });
  }
  throw new UserError(`${path} is no file.`, { hint: "Give a file with one sample a line." });
}

interface Numbered {
  readonly line: number;
  readonly sample: Sample;
}

/** The way a sample is written: two samples of one way have columns of the same types. */
function schemaOf(sample: Sample): string {
  if (sample.schema !== "prompt-completion") return sample.schema;
  return typeof sample.prompt === "string"
    ? "prompt and completion"
    : "prompt and completion as chats";
}

class DatasetCheck {
  readonly #question: DatasetQuestion;
  readonly #problems: ProblemList;
  readonly #counter: TokenCounter;
  readonly #duplicates = new DuplicateFinder();
  #schema: string | undefined;
  #lines = 0;
  #crlf = 0;
  #broken = 0;
  readonly #counts = { train: 0, validation: 0 };
  #tokens = { low: 0, high: 0 };
  #longest: { line: number; tokens: Range } | undefined;

  constructor(question: DatasetQuestion) {
    this.#question = question;
    this.#problems = new ProblemList(question.shown ?? 10);
    this.#counter = question.counter ?? byCharacters;
  }

  /** The samples of some lines; what is none of them is noted. */
  parse(lines: readonly DataLine[], format: "jsonl" | "txt"): readonly Numbered[] {
    return lines.flatMap((line) => {
      this.#lines = line.number;
      if (line.crlf) this.#crlf += 1;
      const sample = this.#parseLine(line, format);
      return sample === undefined ? [] : [{ line: line.number, sample }];
    });
  }

  #parseLine({ bytes, number, length }: DataLine, format: "jsonl" | "txt"): Sample | undefined {
    if (bytes === undefined) {
      const limit = longestLineBytes / 1024 ** 2;
      this.#note("long-line", number, `has ${length} bytes; at most ${limit} MiB are read`);
      return undefined;
    }
    const marked = number === 1 && bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]));
    if (marked) this.#problems.add("bom", 1, "EF BB BF before the first character");
    const parsed = parseSample(marked ? bytes.subarray(3) : bytes, format);
    if ("kind" in parsed) {
      this.#note(parsed.kind, number, parsed.reason);
      return undefined;
    }
    const schema = schemaOf(parsed);
    this.#schema ??= schema;
    if (schema === this.#schema) return parsed;
    this.#note("mixed", number, `has ${schema}, and the first sample has ${this.#schema}`);
    return undefined;
  }

  #note(kind: Parameters<ProblemList["add"]>[0], line: number, reason: string): void {
    if (kind !== "empty") this.#broken += 1;
    this.#problems.add(kind, line, reason);
  }

  /** Takes samples that were read together: lengths, duplicates, personal data, and which part each goes to. */
  async take(samples: readonly Numbered[], sink: SampleSink | undefined): Promise<void> {
    const texts = samples.flatMap(({ sample }) => textsOf(sample));
    const personal = await findPersonalData(texts);
    for (const { line, sample } of samples) {
      const kinds = textsOf(sample).flatMap((text) => personalDataIn(text, personal));
      if (kinds.length > 0) {
        const what = [...new Set(kinds)].map((kind) => kind.replaceAll("-", " ")).join(", ");
        this.#problems.add("personal-data", line, `has ${what}`);
      }
      const masked = this.#question.mask === true && kinds.length > 0;
      const kept = masked ? withTexts(sample, (text) => maskPersonalData(text, personal)) : sample;
      const part = this.#judge(line, kept);
      await sink?.write(part, kept);
    }
  }

  #judge(line: number, sample: Sample): "train" | "validation" {
    const { maxTokens, seed = 42, validationShare = 0 } = this.#question;
    const content = JSON.stringify(sample);
    const tokens = this.#counter.count(sample);
    if (tokens.high > (this.#longest?.tokens.high ?? 0)) this.#longest = { line, tokens };
    if (maxTokens !== undefined && tokens.low > maxTokens) {
      const atLeast = tokens.low === tokens.high ? "" : "at least ";
      this.#problems.add("too-long", line, `has ${atLeast}${tokens.low} tokens of ${maxTokens}`);
    }
    const earlier = this.#duplicates.find(textsOf(sample).join("\n"), line);
    if (earlier !== undefined) {
      const kind = earlier.kind === "exact" ? "duplicate" : "near-duplicate";
      this.#problems.add(kind, line, `as line ${earlier.of}`);
    }
    // By content and seed alone, so that neither order nor other samples move it to the other part.
    const part =
      contentHash(`${seed}\n${content}`) / 2 ** 53 < validationShare ? "validation" : "train";
    this.#counts[part] += 1;
    if (part === "train") {
      this.#tokens.low += tokens.low;
      this.#tokens.high += tokens.high;
    }
    return part;
  }

  #noteFile(samples: number): void {
    const { notCompared } = this.#duplicates;
    if (this.#crlf > 0) this.#problems.add("crlf", undefined, `${this.#crlf} lines`);
    if (notCompared > 0) {
      const reason = `nearly equal samples were not looked for among the last ${notCompared}`;
      this.#problems.add("not-compared", undefined, reason);
    }
    if (samples === 0) {
      this.#problems.add("too-few", undefined, "there is nothing to learn from");
      return;
    }
    const { parameters } = this.#question;
    if (parameters === undefined || parameters < fewestSamples.parameters) return;
    if (samples >= fewestSamples.samples) return;
    const size = `${(parameters / 1e9).toFixed(0)} billion parameters`;
    const reason = `${samples}, and a model of ${size} is best given ${fewestSamples.samples} or more: it learns fewer by heart. Few and chosen with care can do for a style (https://arxiv.org/abs/2305.11206)`;
    this.#problems.add("small-data", undefined, reason);
  }

  report(path: string, bytes: number): DatasetReport {
    const samples = this.#counts.train + this.#counts.validation;
    this.#noteFile(samples);
    const { skipBroken = false } = this.#question;
    return {
      path,
      bytes,
      lines: this.#lines,
      schema: this.#schema,
      samples,
      trainSamples: this.#counts.train,
      validationSamples: this.#counts.validation,
      trainTokens: this.#tokens,
      tokenSource: this.#counter.source,
      longest: this.#longest,
      problems: this.#problems.groups(),
      usable: this.#counts.train > 0 && (skipBroken || this.#broken === 0),
    };
  }
}

/**
 * Reads a data set once, in bounded memory, and says everything that is wrong with it; what can be learnt goes to the sink.
 *
 * @throws UserError when the file is not there or of no kind that is known
 */
export async function checkDataset(
  question: DatasetQuestion,
  sink?: SampleSink,
): Promise<DatasetReport> {
  const { path } = question;
  const format = formatOf(path);
  const bytes = sizeOf(path);
  const check = new DatasetCheck(question);
  let read = 0;
  for await (const lines of readLines(path)) {
    await check.take(check.parse(lines, format), sink);
    read += lines.reduce((sum, { length }) => sum + length + 1, 0);
    question.onProgress?.(Math.min(1, read / bytes));
  }
  return check.report(path, bytes);
}
