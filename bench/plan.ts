import { performance } from "node:perf_hooks";
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
 */
const rounds = Number(process.argv[2] ?? 5);
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
