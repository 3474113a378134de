import { writeFile } from "node:fs/promises";
import { chartHtml } from "../../components/cost/chart-html.ts";
import {
  compareBill,
  wholeDays,
  type BillComparison,
  type ComparedStack,
} from "../../components/cost/compare-bill.ts";
import { egressBound, type EgressBound } from "../../components/cost/egress-bound.ts";
import { focusCsv } from "../../components/cost/focus-csv.ts";
import {
  ledgerOf,
  sumBy,
  totalUsd,
  type Grouping,
  type LedgerLine,
} from "../../components/cost/ledger.ts";
import type { RunRecord } from "../../components/cost/usage.ts";
import { counted } from "../../components/counted.ts";
import { timestamp } from "../../components/lease/lease.ts";
import { usd } from "../../components/plan-text.ts";
import { roundUsd } from "../../components/pricing/hourly-cost.ts";
import { accountOf } from "../adapters/account.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import { readClock } from "../adapters/clock.ts";
import { askBill, requestUsd } from "../adapters/cost/cost-explorer.ts";
import { updateRecords } from "../adapters/cost/cost-records.ts";
import { checkCredentials } from "../adapters/credentials.ts";
import { askSentBytes } from "../adapters/cost/egress-of-runs.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";

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
  /** Ask Cost Explorer too. */
  readonly compare?: boolean;
  /** Ask CloudWatch what hosts sent, for the most that it can have cost. */
  readonly egress?: boolean;
}

function percent(error: number | undefined): string {
  if (error === undefined) return "-";
  return `${error > 0 ? "+" : ""}${error.toFixed(1)} %`;
}

function comparedLine({ ledgerUsd, billUsd, errorPercent }: Omit<ComparedStack, "stack">): string {
  const figures = [usd(ledgerUsd), usd(billUsd), percent(errorPercent)];
  return `           ${figures.map((figure) => figure.padStart(10)).join("  ")}`;
}

interface Compared extends BillComparison {
  readonly from: string;
  /** The first day that is not in it. */
  readonly until: string;
}

/** The ledger's whole days beside those of Cost Explorer; undefined when there is no whole day yet. */
async function compare(
  client: ClientSettings,
  lines: readonly LedgerLine[],
  { now, regions, terminal }: { now: Date; regions: readonly string[]; terminal: Terminal },
): Promise<Compared | undefined> {
  const days = wholeDays(lines, now);
  if (days === undefined) {
    terminal.say("compared   nothing: no day of the ledger is over yet (UTC)");
    return undefined;
  }
  const { days: billed, requests } = await askBill(client, { ...days, regions });
  const within = lines.filter(({ day }) => day < days.until);
  const compared = compareBill(within, billed);
  terminal.say(
    `compared   ${days.from} to before ${days.until}, with Cost Explorer before credits, refunds and tax; asking cost ${usd(requests * requestUsd)}`,
    `           ${["ledger", "bill", "error"].map((name) => name.padStart(10)).join("  ")}`,
    ...compared.stacks.map((each) => `${comparedLine(each)}  ${each.stack}`),
    `${comparedLine(compared)}  all`,
    ...compared.reasons.map((reason) => `           may be because ${reason}`),
  );
  return { ...days, ...compared };
}

/** Stands beside the sum and never in it: it is a bound, and the sum is an estimate. */
async function boundEgress(
  client: ClientSettings,
  records: readonly RunRecord[],
  { now, terminal }: { readonly now: Date; readonly terminal: Terminal },
): Promise<EgressBound> {
  const bound = egressBound(await askSentBytes(client, records, now));
  const { atMostUsd, sentGB, hosts, endpoints, unpricedRegions } = bound;
  const asked = endpoints.reduce((sum, { requests = 0 }) => sum + requests, 0);
  terminal.say(
    `egress     at most ${usd(atMostUsd)} more, and not in the sum: ${counted(hosts.length, "host")} sent ${sentGB.toFixed(2)} GB by CloudWatch's NetworkOut,`,
    "           which counts what stayed within AWS as well; 100 GB a month of it are free",
    ...(endpoints.length === 0
      ? []
      : [
          `           ${counted(endpoints.length, "endpoint")} answered ${counted(asked, "request")}, each with 25 MB at most: SageMaker counts no bytes`,
        ]),
  );
  if (unpricedRegions.length > 0) {
    terminal.complain(`  no price for egress is known in ${unpricedRegions.join(", ")}`);
  }
  return bound;
}

/** `berth cost`: what ran, from launch records with the prices of then; by environment, owner, model, day and more. */
export async function runCost(options: CostOptions, terminal: Terminal): Promise<number> {
  const cloud = cloudOf(options.env);
  const region = regionOfStack(options.env);
  const scope = accountOf(options.env, region, cloud);
  const account = await checkCredentials(scope);
  const regions = options.regions?.split(",").map((name) => name.trim()) ?? [region];
  const now = await readClock(cloud);
  const { records, unanswered } = await updateRecords(scope.client, regions, { now, account });
  const lines = ledgerOf(records, now);
  const rows = sumBy(lines, options.by);
  const total = totalUsd(lines);
  terminal.say(
    `cost       ${usd(roundUsd(total))} of ${counted(records.length, "run")} in ${regions.join(", ")}, by the prices at launch`,
    ...rows.map((row) => `           ${usd(roundUsd(row.usd)).padStart(10)}  ${row.name}`),
  );
  for (const why of unanswered)
    terminal.complain(`  not asked now, and counted as last seen: ${why}`);
  const madeAt = timestamp(now);
  if (options.csv !== undefined) await writeFile(options.csv, focusCsv(lines));
  if (options.html !== undefined) await writeFile(options.html, chartHtml(lines, madeAt));
  const asked = options.compare === true;
  const compared = asked
    ? await compare(scope.client, lines, { now, regions, terminal })
    : undefined;
  const bound =
    options.egress === true
      ? await boundEgress(scope.client, records, { now, terminal })
      : undefined;
  const told = { at: madeAt, regions, totalUsd: roundUsd(total), by: options.by, rows, lines };
  terminal.result({
    ...told,
    unanswered,
    ...(asked ? { compared: compared ?? null } : {}),
    ...(bound === undefined ? {} : { egress: bound }),
  });
  return exitCode.ok;
}
