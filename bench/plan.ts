import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { Catalogue } from "../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../components/catalogue/load.ts";
import { makeReport } from "../components/plan-report/make-report.ts";
import { pricedRegions } from "../components/pricing/region-prices.ts";
import type { PlanRequest } from "../components/sizing/plan-request.ts";
import { UserError } from "../components/user-error.ts";

/**
 * Every model, for every task, over all regions, in one process: `node --import tsx bench/plan.ts [rounds]`. Then the same
 * with ten times the instance table, in turn with the plain one, so that both see the same machine; the ratio of the
 * medians is what counts.
 *
 * Before that the plans that have most to search, each in processes of its own, as `berth plan` runs: processor time of the
 * tables' reading and the plan, the least of the rounds. `node --import tsx bench/plan.ts --once '{...}'` is one of these.
 */
const once = process.argv[2] === "--once" ? process.argv[3] : undefined;
const rounds = once === undefined ? Number(process.argv[2] ?? 5) : 1;
const worstLimitMs = 100;
const growthLimit = 12;
const tasks = ["serve", "finetune", "train"] as const;

interface Outcome {
  readonly milliseconds: number;
  readonly allocatedMiB: number;
  readonly planned: number;
  readonly refused: number;
}

/** The table with each type in `factor` names. */
function grown(catalogue: Catalogue, factor: number): Catalogue {
  const copies = Array.from({ length: factor }, (_, index) =>
    catalogue.instanceTypes.map((type) =>
      index === 0 ? type : { ...type, instanceType: `${type.instanceType}-${index}` },
    ),
  );
  return { ...catalogue, instanceTypes: copies.flat() };
}

function requestFor(model: string, task: (typeof tasks)[number]): PlanRequest {
  const [region = "us-east-1", ...otherRegions] = pricedRegions;
  return { model, task, region, otherRegions, env: "bench", spot: false, leaseHours: undefined };
}

function planAll(catalogue: Catalogue): Outcome {
  let planned = 0;
  let refused = 0;
  const heapBefore = process.memoryUsage().heapUsed;
  const began = performance.now();
  for (const { id } of catalogue.models) {
    for (const task of tasks) {
      try {
        makeReport(requestFor(id, task), catalogue);
        planned += 1;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused += 1;
      }
    }
  }
  const milliseconds = performance.now() - began;
  const allocatedMiB = (process.memoryUsage().heapUsed - heapBefore) / 1024 / 1024;
  return { milliseconds, allocatedMiB, planned, refused };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Long searches: layouts over many hosts, in all regions. */
const heavy: readonly Partial<PlanRequest>[] = [
  { model: "llama-3.1-405b", task: "train" },
  { model: "llama-3.1-405b", task: "train", nodes: { least: 1, most: 1024 } },
  { model: "llama-3.1-405b", task: "finetune", training: { method: "full" } },
  { model: "llama-3.1-405b", task: "serve" },
  { model: "falcon-180b", task: "train" },
  { model: "opt-175b", task: "train", nodes: { least: 1, most: 64 } },
  { model: "llama-3.1-70b", task: "train", nodes: { least: 840, most: 960 } },
  { model: "deepseek-v3", task: "finetune", training: { method: "full" } },
  {
    model: "qwen3-235b-a22b",
    task: "train",
    nodes: { least: 1, most: 64 },
    training: { sequenceTokens: 32_768 },
  },
];

/** Processor time of one plan in this process, which has made none before, ms. */
function onceMs(change: Partial<PlanRequest>): number {
  const before = process.cpuUsage();
  const request = { ...requestFor(change.model ?? "", change.task ?? "serve"), ...change };
  try {
    makeReport(request, loadCatalogue());
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function freshMs(change: Partial<PlanRequest>): number {
  const [script, argument] = [fileURLToPath(import.meta.url), JSON.stringify(change)];
  const argv = [...process.execArgv, script, "--once", argument];
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function benchWorst(): void {
  const measured = heavy.map((change) => {
    const times = Array.from({ length: rounds }, () => freshMs(change));
    return { text: JSON.stringify(change), least: Math.min(...times) };
  });
  const [worst, ...others] = measured.toSorted((a, b) => b.least - a.least);
  for (const { text, least } of others) console.log(`${least.toFixed(0)} ms ${text}`);
  if (worst === undefined) return;
  console.log(`worst of ${heavy.length}: ${worst.least.toFixed(0)} ms ${worst.text}`);
  if (worst.least > worstLimitMs) process.exitCode = 1;
}

function benchGrowth(): void {
  const plain = loadCatalogue();
  const tenfold = grown(plain, 10);
  planAll(plain);
  const times: { plain: number[]; tenfold: number[] } = { plain: [], tenfold: [] };
  let last: Outcome | undefined;
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc?.();
    last = planAll(plain);
    times.plain.push(last.milliseconds);
    times.tenfold.push(planAll(tenfold).milliseconds);
  }
  const plans = (last?.planned ?? 0) + (last?.refused ?? 0);
  const [small, large] = [median(times.plain), median(times.tenfold)];
  const ratio = large / small;
  console.log(
    `${plain.models.length} models x ${tasks.length} tasks x ${pricedRegions.length} regions, ${plain.instanceTypes.length} types: ` +
      `${small.toFixed(0)} ms, ${(small / plans).toFixed(2)} ms a plan; ${last?.planned ?? 0} planned, ${last?.refused ?? 0} refused`,
  );
  console.log(
    `heap grown by ${(last?.allocatedMiB ?? NaN).toFixed(0)} MiB over them, before collection`,
  );
  console.log(
    `${tenfold.instanceTypes.length} types: ${large.toFixed(0)} ms, ${ratio.toFixed(1)} times (limit ${growthLimit}), ` +
      `median of ${rounds} paired rounds`,
  );
  if (ratio > growthLimit) process.exitCode = 1;
}

if (once === undefined) {
  benchWorst();
  benchGrowth();
} else console.log(onceMs(JSON.parse(once) as Partial<PlanRequest>));
