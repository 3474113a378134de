import { writeFile } from "node:fs/promises";
import { timestamp } from "../../components/lease/lease.ts";
import { loadPage } from "../../components/load-report/load-page.ts";
import { loadReport, type LoadReport } from "../../components/load-report/load-report.ts";
import { resultLines, settingsLines } from "../../components/load-report/report-lines.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import { benchRequest, type BenchOptions, type BenchRequest } from "../load/bench-options.ts";
import { openUrl, type BenchTarget } from "../load/bench-target.ts";
import { measureClientCeiling } from "../load/client-ceiling.ts";
import { climb, warmUp } from "../load/ladder.ts";
import { LoadBudget } from "../load/load-budget.ts";
import { openStack } from "../load/stack-target.ts";
import {
  fileWorkload,
  syntheticWorkload,
  type TokenCount,
  type Workload,
} from "../load/workload.ts";

async function openTarget(
  options: BenchOptions,
  { hourlyUsd }: BenchRequest,
): Promise<BenchTarget> {
  const { url } = options;
  return url === undefined ? openStack(options, hourlyUsd) : openUrl(url, options, hourlyUsd);
}

function countText({ least, most }: TokenCount): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

const usualTokens = { prompt: 256, answer: 128 } as const;

/** The workload, and what it is in words. Without lengths they suit the model's context. */
async function workloadOf(
  { prompts }: BenchOptions,
  request: BenchRequest,
  contextTokens = Infinity,
): Promise<{ readonly workload: Workload; readonly text: string }> {
  const { seed } = request.settings;
  const usual = (tokens: number, part: number): TokenCount => {
    const count = Math.max(1, Math.min(tokens, Math.floor(contextTokens * part)));
    return { least: count, most: count };
  };
  const answerTokens = request.answerTokens ?? usual(usualTokens.answer, 0.25);
  const answers = `answers of ${countText(answerTokens)} tokens at most`;
  if (prompts !== undefined) {
    const workload = await fileWorkload(prompts, { answerTokens, seed });
    return { workload, text: `from ${prompts}, ${answers}, seed ${seed}` };
  }
  const promptTokens = request.promptTokens ?? usual(usualTokens.prompt, 0.5);
  const workload = syntheticWorkload({ promptTokens, answerTokens, seed });
  return {
    workload,
    text: `random words, ${countText(promptTokens)} tokens, ${answers}, seed ${seed}`,
  };
}

/** Hears Ctrl-C: the first ends the test with what was measured, the second ends the process. */
function listen(budget: LoadBudget, terminal: Terminal): () => void {
  let heard = false;
  const listener = (): void => {
    if (heard) process.exit(exitCode.interrupted);
    heard = true;
    terminal.complain("  stopping; the report so far follows");
    budget.end("interrupted");
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, listener);
  return () => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, listener);
  };
}

interface Bench {
  readonly opened: BenchTarget;
  readonly ceilingPartsPerSecond: number;
  readonly request: BenchRequest;
  readonly options: BenchOptions;
  readonly terminal: Terminal;
}

async function measure({
  opened,
  ceilingPartsPerSecond,
  request,
  options,
  terminal,
}: Bench): Promise<LoadReport> {
  const { workload, text } = await workloadOf(options, request, opened.contextTokens);
  const settings = { ...request.settings, prompts: text };
  const { maxSeconds, maxRequests, requestSeconds, mostFailed, warmUpRequests } = settings;
  const client = { ceilingPartsPerSecond, roundTripSeconds: opened.roundTripSeconds };
  const told = { target: opened.described, settings, limits: request.limits, client };
  terminal.say(...settingsLines(told));
  const budget = new LoadBudget(maxSeconds, maxRequests, opened.deadlineSeconds);
  const forget = listen(budget, terminal);
  const context = { target: opened.load, workload, budget, requestSeconds, mostFailed };
  try {
    terminal.status("warming up ...");
    await warmUp(context, warmUpRequests);
    const unit = settings.loop === "closed" ? "at once" : "a second";
    const samples = await climb(context, request, (load) => {
      if (terminal.interactive) terminal.status(`${load} ${unit} ...`);
      else terminal.say(`measuring  ${load} ${unit}`);
    });
    const ended = budget.ended ?? "done";
    const at = timestamp(new Date());
    return loadReport({ ...told, at, ended, samples, estimate: opened.estimate });
  } finally {
    forget();
    budget.close();
  }
}

function codeOf({ ended }: LoadReport): number {
  if (ended === "interrupted") return exitCode.interrupted;
  return ended === "failures" ? exitCode.userError : exitCode.ok;
}

/**
 * `berth bench`: a load test of a stack's model, a SageMaker endpoint, or any server of OpenAI's API.
 *
 * @param measureClient says how many parts of answers this client takes a second
 */
export async function runBench(
  options: BenchOptions,
  terminal: Terminal,
  measureClient: () => Promise<number> = measureClientCeiling,
): Promise<number> {
  const request = benchRequest(options);
  const opened = await openTarget(options, request);
  try {
    terminal.status("measuring this client ...");
    const ceilingPartsPerSecond = await measureClient();
    const report = await measure({ opened, ceilingPartsPerSecond, request, options, terminal });
    terminal.say(...resultLines(report));
    if (options.html !== undefined) {
      await writeFile(options.html, loadPage(report));
      terminal.say(`page       ${options.html}`);
    }
    terminal.result(report);
    return codeOf(report);
  } finally {
    opened.close();
  }
}
