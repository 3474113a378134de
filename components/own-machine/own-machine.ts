import type { Catalogue } from "../catalogue/catalogue.ts";
import { buyingBreakEvenHours } from "../pricing/break-even.ts";
import type { OwnMachine } from "../plan-report/report.ts";
import { demandsOf, type Job } from "../sizing/job.ts";
import type { MemoryDemand } from "../sizing/memory-part.ts";
import { formatProblem, softwareStack, usesPytorch } from "../sizing/software-stack.ts";
import { verdict } from "../sizing/verdict.ts";
import { cardsSource, knownCards, type KnownCard, type OwnGpu } from "./card.ts";

/** What the own machine is judged by besides its GPUs. */
export interface OwnMachineQuestion {
  readonly job: Job;
  readonly gpus: readonly OwnGpu[];
  readonly catalogue: Pick<Catalogue, "pytorchReleases" | "cudaReleases">;
  /** The cheapest cloud placement, USD an hour; undefined where nothing holds the job. */
  readonly rentHourlyUsd: number | undefined;
  readonly electricityUsdPerKwh: number;
}

/**
 * What a kWh costs a household unless the user says otherwise, USD: about the average of the United States in 2025
 * (https://www.eia.gov/electricity/monthly/, table 5.6.A).
 */
export const defaultElectricityUsdPerKwh = 0.17;

interface Fit {
  readonly demand: MemoryDemand;
  readonly fits: boolean;
  readonly comfortable: boolean;
  readonly reason: string;
}

/** The best split of the job over GPUs of which the smallest decides. */
function fitOf(job: Job, usableMiB: number, gpuCount: number): Fit | undefined {
  const judged = demandsOf(job, gpuCount).map((demand) => ({
    demand,
    ...verdict(demand, usableMiB),
  }));
  return (
    judged.find(({ comfortable }) => comfortable) ??
    judged.find(({ fits }) => fits) ??
    judged.toSorted((a, b) => a.demand.startMiB - b.demand.startMiB)[0]
  );
}

/** Why a card computes nothing of the job, however much memory it has; undefined where it does, or is not known. */
function softwareProblem(
  { job, catalogue }: Pick<OwnMachineQuestion, "job" | "catalogue">,
  { name, computeCapability }: Pick<OwnGpu, "name" | "computeCapability">,
): string | undefined {
  if (computeCapability === undefined) return undefined;
  const engine = job.task === "serve" ? job.workload.engine : undefined;
  if (
    usesPytorch(engine) &&
    softwareStack({ computeCapability }, catalogue, engine) === undefined
  ) {
    return `${engine ?? "PyTorch"} has no code for ${name} (compute capability ${computeCapability})`;
  }
  const format = job.task === "serve" ? job.workload.precision : "native";
  const precision = format === "native" ? job.model.nativePrecision : format;
  return formatProblem(precision, { computeCapability });
}

/** Over how many cards of one kind a job is spread at home. */
const homeCounts = [1, 2] as const;

function cheapestToBuy(question: OwnMachineQuestion) {
  const { job, rentHourlyUsd, electricityUsdPerKwh } = question;
  if (rentHourlyUsd === undefined) return undefined;
  const holds = (card: KnownCard, count: number): boolean =>
    softwareProblem(question, card) === undefined &&
    (fitOf(job, card.usableMiB, count)?.comfortable ?? false);
  const offers = knownCards()
    .flatMap((card) => homeCounts.map((count) => ({ card, count })))
    .toSorted((a, b) => a.card.listPriceUsd * a.count - b.card.listPriceUsd * b.count);
  const found = offers.find(({ card, count }) => holds(card, count));
  if (found === undefined) return undefined;
  const { card, count } = found;
  const listPriceUsd = card.listPriceUsd * count;
  const electricity = (card.powerWatts / 1000) * count * electricityUsdPerKwh;
  return {
    name: card.name,
    count,
    listPriceUsd,
    breakEvenHours: buyingBreakEvenHours(listPriceUsd, rentHourlyUsd, electricity),
  };
}

/**
 * Whether the GPUs that somebody owns hold the job, what an hour of them costs, and what would be bought instead of rented.
 *
 * @throws UserError when the catalogue lacks a figure of the model that it takes
 */
export function judgeOwnMachine(question: OwnMachineQuestion): OwnMachine {
  const { job, gpus, electricityUsdPerKwh } = question;
  const smallestMiB = Math.min(...gpus.map(({ usableMiB }) => usableMiB));
  const fit = fitOf(job, smallestMiB, gpus.length);
  const [problem] = gpus.flatMap((gpu) => softwareProblem(question, gpu) ?? []);
  const runs = problem === undefined;
  const watts = gpus.map(({ powerWatts }) => powerWatts);
  const known = watts.filter((each) => each !== undefined);
  const allWatts = known.reduce((sum, each) => sum + each, 0);
  return {
    gpus: gpus.map(({ name, usableMiB }) => ({ name, usableMiB })),
    fits: runs && (fit?.fits ?? false),
    comfortable: runs && (fit?.comfortable ?? false),
    reason: problem ?? fit?.reason ?? "the model cannot be split over these GPUs",
    demand: fit?.demand,
    electricityHourlyUsd:
      known.length === watts.length ? (allWatts / 1000) * electricityUsdPerKwh : undefined,
    electricityUsdPerKwh,
    source: cardsSource,
    buying: runs && fit?.comfortable === true ? undefined : cheapestToBuy(question),
  };
}
