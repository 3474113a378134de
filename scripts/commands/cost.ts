import { writeFile } from "node:fs/promises";
import { chartHtml } from "../../components/cost/chart-html.ts";
import { focusCsv } from "../../components/cost/focus-csv.ts";
import { ledgerOf, sumBy, totalUsd, type Grouping } from "../../components/cost/ledger.ts";
import { counted } from "../../components/counted.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { usd } from "../../components/plan-text.ts";
import { roundUsd } from "../../components/pricing/hourly-cost.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { updateRecords } from "../adapters/cost-records.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";

/** Flags of `berth cost`. */
export interface CostOptions {
  /** Whose account and region. */
  readonly env: string;
  readonly by: Grouping;
  /** With commas between; the stack's own otherwise. */
  readonly regions?: string;
  /** File for the FOCUS columns. */
  readonly csv?: string;
  /** File for the chart. */
  readonly html?: string;
}

/** `berth cost`: what ran, from launch records with the prices of then; by environment, owner, model, day and more. */
export async function runCost(options: CostOptions, terminal: Terminal): Promise<number> {
  const cloud = cloudOf(options.env);
  const region = regionOfStack(options.env);
  const scope = accountOf(options.env, region, cloud);
  const account = await checkCredentials(scope);
  const regions = options.regions?.split(",").map((name) => name.trim()) ?? [region];
  const now = await readClock(cloud);
  const records = await updateRecords(scope.client, regions, { now, account });
  const lines = ledgerOf(records, now);
  const rows = sumBy(lines, options.by);
  const total = totalUsd(lines);
  terminal.say(
    `cost       ${usd(roundUsd(total))} of ${counted(records.length, "run")} in ${regions.join(", ")}, by the prices at launch`,
    ...rows.map((row) => `           ${usd(roundUsd(row.usd)).padStart(10)}  ${row.name}`),
  );
  const madeAt = timestamp(now);
  if (options.csv !== undefined) await writeFile(options.csv, focusCsv(lines));
  if (options.html !== undefined) await writeFile(options.html, chartHtml(lines, madeAt));
  terminal.result({ at: madeAt, regions, totalUsd: roundUsd(total), by: options.by, rows, lines });
  return exitCode.ok;
}
