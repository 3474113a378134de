import { counted } from "../../components/counted.ts";
import { sumBy, totalUsd } from "../../components/cost/ledger.ts";
import type {
  AccountView,
  OtherRunView,
  Tone,
} from "../../components/dashboard-page/dashboard-view.ts";
import { roundUsd } from "../../components/pricing/hourly-cost.ts";
import { auditRuns, type AuditedRun, type Verdict } from "../../components/teardown/audit.ts";
import type { AccountReadings } from "./readings.ts";
import { figure } from "./stack-view.ts";

const tones: Readonly<Record<Verdict, Tone>> = {
  running: "good",
  protected: "good",
  endless: "mind",
  "past-deadline": "bad",
  unguarded: "mind",
  remains: "mind",
};

/** The account's clock at a moment of this machine's. */
export function accountNow({ clock }: AccountReadings, now: string): Date {
  if (clock.value === undefined || clock.at === undefined) return new Date(now);
  return new Date(Date.parse(clock.value) + Date.parse(now) - Date.parse(clock.at));
}

/** Every deployment that the account's tags tell of. */
export function accountRuns(account: AccountReadings, now: string): readonly AuditedRun[] {
  const { value } = account.inventory;
  return value === undefined ? [] : auditRuns(value.things, accountNow(account, now));
}

function otherRun(run: AuditedRun): OtherRunView {
  const { stack, owner, model, verdict, reason, regions, hourlyUsd, things } = run;
  const kinds = Object.entries(Object.groupBy(things, ({ kind }) => kind));
  return {
    stack,
    owner,
    model,
    verdict,
    tone: tones[verdict],
    reason,
    regions: regions.join(", "),
    hourlyUsd,
    things: kinds.map(([kind, found = []]) => counted(found.length, kind)).join(", "),
  };
}

/** One account as the dashboard shows it; what the shown stacks account for is theirs. */
export function accountView(
  account: AccountReadings,
  now: string,
  ownRunIds: ReadonlySet<string>,
): AccountView {
  const runs = accountRuns(account, now);
  const { inventory, ledger, number, regions, emulated } = account;
  const others = runs.filter(({ runId, verdict }) => {
    return !ownRunIds.has(runId) || verdict === "past-deadline" || verdict === "remains";
  });
  const hourly = runs.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0);
  const lines = ledger.value?.lines;
  return {
    title: emulated ? "Emulated AWS" : `AWS account ${number.value ?? ""}`.trim(),
    regions,
    inventory: figure(inventory, () => ({
      text: `${counted(runs.length, "deployment")}, $${hourly.toFixed(2)} an hour`,
      tone: "quiet",
    })),
    others: others.map(otherRun),
    untagged: (inventory.value?.untaggedGpus ?? []).map(
      ({ type, id, region }) => `${type} ${id} in ${region}`,
    ),
    ledger: figure(ledger, ({ lines: found }) => ({
      text: `$${totalUsd(found).toFixed(2)}`,
      tone: "quiet",
    })),
    totalUsd: lines === undefined ? undefined : roundUsd(totalUsd(lines)),
    costs: lines === undefined ? [] : sumBy(lines, "stack"),
  };
}
