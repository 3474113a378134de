import { counted } from "../../components/counted.ts";
import type { AccountScope, Remnant } from "../adapters/account-scope.ts";
import type { TeardownReport } from "../adapters/receipt/receipt-file.ts";
import { makeReceipt } from "../adapters/receipt/receipt.ts";
import type { Removal } from "../adapters/remove-by-tag.ts";
import type { RemovedElsewhere } from "./down-elsewhere.ts";

/** What a teardown came to, part by part. */
export interface DownOutcome extends Pick<TeardownReport, "at" | "destroyed" | "cost" | "saved"> {
  /** One for each run, in the stack's own region. */
  readonly removals: readonly Removal[];
  readonly elsewhere: RemovedElsewhere;
  /** Between two questions to an account that lags. */
  readonly pauseMs: number;
}

function each<Thing extends Remnant>(things: readonly Thing[]): readonly Thing[] {
  const named = things.map(
    (thing) => [`${thing.service} ${thing.kind} ${thing.id}`, thing] as const,
  );
  return [...new Map(named).values()];
}

/** One report of all runs and regions, for the receipt. */
export async function downReport(
  scope: AccountScope,
  { removals, elsewhere, pauseMs, saved, ...rest }: DownOutcome,
): Promise<TeardownReport> {
  const [first] = removals;
  const receipt = first?.receipt ?? (await makeReceipt(scope, { attempts: 6, pauseMs }));
  const all = [...removals, ...elsewhere.removals];
  const { regions, closed } = elsewhere;
  const asked = [
    ...receipt.asked,
    ...(regions.length === 0
      ? []
      : [`the same by tag in ${counted(regions.length, "other region")}: ${regions.join(", ")}`]),
    ...(closed.length === 0
      ? []
      : [`and not, being closed to whoever asked: ${closed.join(", ")}`]),
  ];
  const more = all.filter((removal) => removal !== first);
  return {
    ...receipt,
    ...rest,
    asked,
    left: each([...receipt.left, ...more.flatMap((removal) => removal.receipt.left)]),
    unanswered: [
      ...receipt.unanswered,
      ...more.flatMap((removal) => removal.receipt.unanswered),
      ...elsewhere.unanswered,
    ],
    runId: scope.runId,
    removedByTag: each(all.flatMap(({ removed }) => removed)),
    kept: each(all.flatMap(({ kept }) => kept)),
    ...(saved === undefined ? {} : { saved }),
  };
}
