import { stackTag } from "../identity.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { sumBy, type LedgerLine } from "./ledger.ts";

/** What the bill says of one stack and one day. */
export interface BilledDay {
  /** `2026-11-24`. */
  readonly day: string;
  readonly stack: string;
  readonly usd: number;
  /** Whether AWS says that it may still change. */
  readonly estimated: boolean;
}

/** One stack by the ledger and by the bill. */
export interface ComparedStack {
  readonly stack: string;
  readonly ledgerUsd: number;
  readonly billUsd: number;
  /** Of the bill, per cent, positive where the ledger says more; undefined where the bill says nothing. */
  readonly errorPercent: number | undefined;
}

/** Ledger and bill over the same days. */
export interface BillComparison {
  readonly stacks: readonly ComparedStack[];
  readonly ledgerUsd: number;
  readonly billUsd: number;
  readonly errorPercent: number | undefined;
  /** Why they may differ, one sentence each; empty when they agree within the error that is claimed. */
  readonly reasons: readonly string[];
}

/** Per cent within which the ledger is held to the bill. */
export const claimedErrorPercent = 2;

function errorOf(ledgerUsd: number, billUsd: number): number | undefined {
  return billUsd === 0 ? undefined : ((ledgerUsd - billUsd) / billUsd) * 100;
}

function reasonsOf(
  { ledgerUsd, billUsd }: { readonly ledgerUsd: number; readonly billUsd: number },
  billed: readonly BilledDay[],
): readonly string[] {
  const error = errorOf(ledgerUsd, billUsd);
  if (error === undefined) {
    return ledgerUsd === 0
      ? []
      : [
          `the bill knows no ${stackTag}: the payer's account has not activated it, did so after these days, or less than a day ago`,
        ];
  }
  if (Math.abs(error) <= claimedErrorPercent) return [];
  const days = new Set(billed.filter(({ estimated }) => estimated).map(({ day }) => day)).size;
  const more = [
    "savings plans, reservations and negotiated prices lower the bill, and the ledger counts list prices",
    "days before the tag was activated are not in the bill",
    "an endpoint or a host that ended between two looks is counted until the later one",
  ];
  const less = [
    "transfer, requests, logs and snapshots are in the bill and not in the ledger",
    "what ran and ended while nobody looked for over an hour is not in the records of this machine",
  ];
  return [
    ...(days > 0
      ? [`AWS calls ${days} of the days an estimate: a bill is late by up to a day`]
      : []),
    ...(error > 0 ? more : less),
  ];
}

/** The ledger beside the bill, by stack, and why they differ; pure. Both must be of the same days and regions. */
export function compareBill(
  lines: readonly LedgerLine[],
  billed: readonly BilledDay[],
): BillComparison {
  const ours = new Map(sumBy(lines, "stack").map(({ name, usd }) => [name, usd]));
  const theirs = new Map<string, number>();
  for (const { stack, usd } of billed) theirs.set(stack, (theirs.get(stack) ?? 0) + usd);
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const stacks = names
    .map((stack) => {
      const ledgerUsd = roundUsd(ours.get(stack) ?? 0);
      const billUsd = roundUsd(theirs.get(stack) ?? 0);
      return { stack, ledgerUsd, billUsd, errorPercent: errorOf(ledgerUsd, billUsd) };
    })
    .toSorted((a, b) => b.billUsd - a.billUsd || b.ledgerUsd - a.ledgerUsd);
  const sum = (of: (stack: ComparedStack) => number) =>
    roundUsd(stacks.reduce((total, stack) => total + of(stack), 0));
  const sums = {
    ledgerUsd: sum((stack) => stack.ledgerUsd),
    billUsd: sum((stack) => stack.billUsd),
  };
  const errorPercent = errorOf(sums.ledgerUsd, sums.billUsd);
  return { stacks, ...sums, errorPercent, reasons: reasonsOf(sums, billed) };
}

/** The whole days (UTC) that a bill can know: from the ledger's first to yesterday; undefined when there is none. */
export function wholeDays(
  lines: readonly LedgerLine[],
  now: Date,
): { readonly from: string; readonly until: string } | undefined {
  const until = now.toISOString().slice(0, 10);
  const [from] = lines.map(({ day }) => day).toSorted();
  return from === undefined || from >= until ? undefined : { from, until };
}
