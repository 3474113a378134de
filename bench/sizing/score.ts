import { findModel } from "../../components/catalogue/find-model.ts";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import { verdict } from "../../components/sizing/verdict.ts";
import { demandOfRow, type Estimator } from "./estimators.ts";
import type { Measured, Outcome } from "./reference.ts";

/** How far an estimator is off. Shares of the measured figure. */
export interface Score {
  readonly rows: number;
  readonly medianError: number;
  readonly p90Error: number;
  /** Signed: above zero it asks for too much. */
  readonly medianBias: number;
}

/** How often the verdict is right, and how often it calls a machine enough that was not. */
export interface OutcomeScore {
  readonly rows: number;
  readonly right: number;
  /** Ids that were called to fit and ran out of memory. */
  readonly wronglyFitting: readonly string[];
  readonly wronglyRefused: readonly string[];
}

/** The value below which that share of the values lies, between neighbours in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Signed error of the estimator for the row, as a share of the measured figure. */
export function errorOf(
  row: Measured,
  { estimate }: Estimator,
  catalogue: Catalogue,
): number | undefined {
  const gib = estimate(row, findModel(row.model, catalogue));
  return gib === undefined ? undefined : gib / row.gib - 1;
}

/** Scores an estimator on rows; undefined where it says nothing about any of them. */
export function score(
  rows: readonly Measured[],
  estimator: Estimator,
  catalogue: Catalogue,
): Score | undefined {
  const errors = rows
    .map((row) => errorOf(row, estimator, catalogue))
    .filter((error) => error !== undefined);
  if (errors.length === 0) return undefined;
  const absolute = errors.map(Math.abs);
  return {
    rows: errors.length,
    medianError: quantile(absolute, 0.5),
    p90Error: quantile(absolute, 0.9),
    medianBias: quantile(errors, 0.5),
  };
}

/** Scores our verdicts. */
export function scoreOutcomes(rows: readonly Outcome[], catalogue: Catalogue): OutcomeScore {
  const judged = rows.map((row) => {
    const { fits } = verdict(demandOfRow(row, findModel(row.model, catalogue)), row.usableMiB);
    return { id: row.id, fits, ran: row.outcome === "runs" };
  });
  const ids = (of: (row: (typeof judged)[number]) => boolean) =>
    judged.filter(of).map(({ id }) => id);
  return {
    rows: judged.length,
    right: judged.filter(({ fits, ran }) => fits === ran).length,
    wronglyFitting: ids(({ fits, ran }) => fits && !ran),
    wronglyRefused: ids(({ fits, ran }) => !fits && ran),
  };
}

/** Usable memory of the GPUs that measured figures are held against, MiB: RTX 3060, T4, A10G, V100, A100, L40S, A100, H200. */
const gpusMiB = [12_288, 15_360, 23_028, 32_768, 40_448, 46_068, 81_152, 143_771];
/** CUDA context beside what PyTorch's allocator counts, MiB. */
const contextMiB = 500;
/** Beyond this share of the GPU a setting is surely out of memory. */
const surely = 1.03;

/** What the measured figures say of each GPU, against our verdicts. */
export interface DerivedScore {
  readonly cells: number;
  readonly right: number;
  /** Cells that are surely out of memory. */
  readonly tooLarge: number;
  /** Of those, the ones that were called to fit, and those that were called comfortable. */
  readonly wronglyFitting: readonly string[];
  readonly wronglyComfortable: readonly string[];
}

function isWhole({ measures, devices = 1, serving }: Measured): boolean {
  return (measures === "process" || measures === "allocated") && !(devices > 1 && serving);
}

/** Each measured figure of a whole process against each GPU: would it have run there, and what do we say. */
export function scoreDerived(rows: readonly Measured[], catalogue: Catalogue): DerivedScore {
  const cells = rows.filter(isWhole).flatMap((row) => {
    const demand = demandOfRow(row, findModel(row.model, catalogue));
    const context = row.measures === "allocated" ? contextMiB : 0;
    const neededMiB = (row.gib * 1024) / (row.devices ?? 1) + context;
    return gpusMiB.map((usableMiB) => {
      const { fits, comfortable } = verdict(demand, usableMiB);
      const id = `${row.id} on ${usableMiB} MiB`;
      const tooLarge = neededMiB > surely * usableMiB;
      return { id, fits, comfortable, ran: neededMiB <= usableMiB, tooLarge };
    });
  });
  const tooLarge = cells.filter((cell) => cell.tooLarge);
  return {
    cells: cells.length,
    right: cells.filter(({ fits, ran }) => fits === ran).length,
    tooLarge: tooLarge.length,
    wronglyFitting: tooLarge.filter(({ fits }) => fits).map(({ id }) => id),
    wronglyComfortable: tooLarge.filter(({ comfortable }) => comfortable).map(({ id }) => id),
  };
}
