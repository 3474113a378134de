import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { findModel } from "../../components/catalogue/find-model.ts";
import { UserError } from "../../components/user-error.ts";
import type { Terminal } from "../adapters/terminal.ts";
import {
  checkDataset,
  type DatasetQuestion,
  type DatasetReport,
} from "../dataset/check-dataset.ts";
import { datasetLines } from "../dataset/dataset-text.ts";
import { tokenizerAt } from "../dataset/token-counter.ts";
import { DatasetWriter } from "../dataset/write-dataset.ts";
import { exitCode } from "../cli/exit-code.ts";

/** Flags that both `berth dataset` and `berth finetune` have. */
export interface DatasetFlags {
  readonly tokenizer?: string;
  readonly validation?: string;
  readonly seed?: string;
  readonly mask?: boolean;
  readonly skipBroken?: boolean;
  readonly shown?: string;
}

interface DatasetOptions extends DatasetFlags {
  readonly model?: string;
  readonly sequence?: string;
  readonly out?: string;
}

/** Reads whole numbers and shares, and gathers what is none. */
export class FlagNumbers {
  readonly problems: string[] = [];

  read(flag: string, text: string | undefined, fits: (value: number) => boolean, what: string) {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== "" && fits(value)) return value;
    this.problems.push(`--${flag}: "${text}"; it is ${what}`);
    return undefined;
  }

  count(flag: string, text: string | undefined): number | undefined {
    return this.read(flag, text, (n) => Number.isSafeInteger(n) && n >= 1, "a whole number from 1");
  }
}

/** What the flags ask of a data set; what is wrong with them is added to the numbers' problems. */
export function datasetQuestion(
  path: string,
  flags: DatasetFlags,
  { numbers, terminal }: { readonly numbers: FlagNumbers; readonly terminal: Terminal },
): DatasetQuestion {
  const share = (n: number) => n >= 0 && n <= 0.5;
  const seed = (n: number) => Number.isSafeInteger(n) && n >= 0;
  return {
    path,
    counter: flags.tokenizer === undefined ? undefined : tokenizerAt(flags.tokenizer),
    validationShare: numbers.read("validation", flags.validation, share, "from 0 to 0.5"),
    seed: numbers.read("seed", flags.seed, seed, "a whole number from 0"),
    mask: flags.mask,
    skipBroken: flags.skipBroken,
    shown: numbers.count("shown", flags.shown),
    onProgress: (read) => {
      terminal.status(`reading ${path}: ${Math.round(read * 100)} %`);
    },
  };
}

/** @throws UserError with every problem of the flags */
export function refuseFlags({ problems }: FlagNumbers): void {
  if (problems.length === 0) return;
  throw new UserError("This cannot be done as asked.", {
    problems: problems.map((problem) => `command line: ${problem}`),
    hint: "Change what is named above; --help has every flag.",
  });
}

/** Checks, and writes the parts into a folder; nothing is left there when the data cannot be used. */
export async function writeParts(
  question: DatasetQuestion,
  folder: string,
): Promise<DatasetReport> {
  mkdirSync(folder, { recursive: true });
  const writer = new DatasetWriter({
    train: join(folder, "train.jsonl"),
    validation: join(folder, "validation.jsonl"),
  });
  try {
    const report = await checkDataset(question, writer);
    await (report.usable ? writer.keep() : writer.discard());
    return report;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** What a person does about data that cannot be used. */
export const unusableHint =
  "Put the lines right that are named, or leave them out with --skip-broken.";

/** `berth dataset check <file>`: what a data set holds, and everything that is wrong with it. */
export async function runDataset(
  [action, path]: readonly string[],
  options: DatasetOptions,
  terminal: Terminal,
): Promise<number> {
  if (action !== "check" || path === undefined) {
    throw new UserError(`There is no "berth dataset ${action ?? ""}" for that.`, {
      hint: "Write berth dataset check train.jsonl.",
    });
  }
  const numbers = new FlagNumbers();
  const model = options.model === undefined ? undefined : findModel(options.model, loadCatalogue());
  const question: DatasetQuestion = {
    ...datasetQuestion(path, options, { numbers, terminal }),
    maxTokens: numbers.count("sequence", options.sequence),
    parameters: model?.parameters,
  };
  refuseFlags(numbers);
  const report =
    options.out === undefined
      ? await checkDataset(question)
      : await writeParts(question, options.out);
  terminal.say(...datasetLines(report));
  if (options.out !== undefined && report.usable) terminal.say(`written    ${options.out}`);
  if (!report.usable) terminal.complain(`${path} cannot be trained on. ${unusableHint}`);
  terminal.result(report);
  return report.usable ? exitCode.ok : exitCode.userError;
}
