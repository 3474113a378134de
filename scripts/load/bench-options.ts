import type { LatencyLimits } from "../../components/load-report/knee.ts";
import type { LoadSettings } from "../../components/load-report/load-report.ts";
import { UserError } from "../../components/user-error.ts";
import type { StackOptions } from "../stack/deployment.ts";
import type { RequestForm } from "../invoke/question.ts";
import type { TokenCount } from "./workload.ts";

/** Flags of `berth bench`. */
export interface BenchOptions extends StackOptions {
  readonly url?: string;
  readonly endpoint?: string;
  readonly model?: string;
  readonly form?: RequestForm;
  readonly concurrency: string;
  readonly rate?: string;
  readonly arrivals: "even" | "poisson";
  readonly promptTokens?: string;
  readonly answerTokens?: string;
  readonly prompts?: string;
  readonly seed: string;
  readonly warmUp: string;
  readonly rungSeconds: string;
  readonly maxSeconds: string;
  readonly maxRequests: string;
  readonly requestTimeout: string;
  readonly maxFailed: string;
  readonly ttftLimit?: string;
  readonly latencyLimit?: string;
  readonly hourlyUsd?: string;
  readonly ignoreEos?: boolean;
  readonly html?: string;
}

/** A load test as it was asked for, checked. */
export interface BenchRequest {
  readonly loads: readonly number[];
  readonly settings: Omit<LoadSettings, "prompts">;
  readonly limits: LatencyLimits;
  /** Undefined takes what suits the model. */
  readonly promptTokens: TokenCount | undefined;
  readonly answerTokens: TokenCount | undefined;
  readonly hourlyUsd: number | undefined;
}

type Problems = string[];

function number(
  problems: Problems,
  [flag, text]: readonly [string, string],
  [least, most, whole]: readonly [number, number, boolean],
): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    const kind = whole ? "whole number" : "number";
    problems.push(`${flag}: "${text}" is no ${kind} from ${least} to ${most}`);
  }
  return value;
}

/** A ladder such as `1,2,4,8`: rising, and of at most 20 rungs. */
function ladder(
  problems: Problems,
  [flag, text]: readonly [string, string],
  [least, most, whole]: readonly [number, number, boolean],
): readonly number[] {
  const values = text.split(",").map((one) => number(problems, [flag, one], [least, most, whole]));
  const rising = values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0));
  if (!rising && values.every(Number.isFinite)) problems.push(`${flag}: "${text}" must rise`);
  if (values.length > 20)
    problems.push(`${flag}: 20 rungs at most, and these are ${values.length}`);
  return values;
}

function tokens(
  problems: Problems,
  flag: string,
  text: string | undefined,
): TokenCount | undefined {
  if (text === undefined) return undefined;
  const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(text.trim()) ?? [];
  const [least, most] = [Number(from), Number(to)];
  if (from === "" || least < 1 || most < least || most > 1_000_000) {
    problems.push(`${flag}: "${text}" is no count of tokens, such as 256 or 128-1024`);
  }
  return { least, most };
}

/** A time such as `500ms` or `2s`, seconds. */
function seconds(problems: Problems, flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count = "", unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text.trim()) ?? [];
  const value = Number(count) / (unit === "ms" ? 1000 : 1);
  if (!(value > 0)) problems.push(`${flag}: "${text}" is no time, such as 500ms or 2s`);
  return value;
}

function check(problems: Problems, options: BenchOptions): void {
  const { url, endpoint, prompts, promptTokens, model } = options;
  if (url !== undefined && endpoint !== undefined) {
    problems.push("--url and --endpoint: give one of them");
  }
  if (prompts !== undefined && promptTokens !== undefined) {
    problems.push("--prompts and --prompt-tokens: the lengths are those of the file");
  }
  if (model !== undefined && url === undefined && endpoint === undefined) {
    problems.push("--model: is for --url and --endpoint; a stack knows its model");
  }
}

/**
 * The load test that a command line asks for.
 *
 * @throws UserError naming every flag that is wrong
 */
export function benchRequest(options: BenchOptions): BenchRequest {
  const problems: Problems = [];
  check(problems, options);
  const open = options.rate !== undefined;
  const loads = open
    ? ladder(problems, ["--rate", options.rate ?? ""], [0.01, 10_000, false])
    : ladder(problems, ["--concurrency", options.concurrency], [1, 1024, true]);
  const of = (flag: string, text: string, bounds: readonly [number, number, boolean]) =>
    number(problems, [flag, text], bounds);
  const request: BenchRequest = {
    loads,
    settings: {
      loop: open ? "open" : "closed",
      arrivals: open ? options.arrivals : undefined,
      seed: of("--seed", options.seed, [0, 2 ** 32 - 1, true]),
      warmUpRequests: of("--warm-up", options.warmUp, [1, 1000, true]),
      rungSeconds: of("--rung-seconds", options.rungSeconds, [0.1, 3600, false]),
      requestSeconds: of("--request-timeout", options.requestTimeout, [0.1, 3600, false]),
      maxSeconds: of("--max-seconds", options.maxSeconds, [1, 86_400, false]),
      maxRequests: of("--max-requests", options.maxRequests, [1, 1_000_000, true]),
      mostFailed: of("--max-failed", options.maxFailed, [0, 100, false]) / 100,
    },
    limits: {
      firstTokenSeconds: seconds(problems, "--ttft-limit", options.ttftLimit),
      wholeSeconds: seconds(problems, "--latency-limit", options.latencyLimit),
    },
    promptTokens: tokens(problems, "--prompt-tokens", options.promptTokens),
    answerTokens: tokens(problems, "--answer-tokens", options.answerTokens),
    hourlyUsd:
      options.hourlyUsd === undefined
        ? undefined
        : of("--hourly-usd", options.hourlyUsd, [0, 100_000, false]),
  };
  if (problems.length === 0) return request;
  throw new UserError("The load test cannot be run so.", {
    problems,
    hint: "Such as: npm run berth -- bench --concurrency 1,2,4,8 --prompt-tokens 256 --answer-tokens 128",
  });
}
