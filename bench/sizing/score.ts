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
