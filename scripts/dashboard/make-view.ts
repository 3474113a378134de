import type { DashboardView, SilentPart } from "../../components/dashboard-page/dashboard-view.ts";
import { accountNow, accountRuns, accountView } from "./account-view.ts";
import type { AccountReadings, DashboardReadings, Reading, StackReadings } from "./readings.ts";
import { stackView } from "./stack-view.ts";

function silent(part: string, { problem, problemAt }: Reading<unknown>): readonly SilentPart[] {
  return problem === undefined ? [] : [{ part, why: problem, at: problemAt ?? "" }];
}

function silentOfStack({ name, state, serving, host }: StackReadings): readonly SilentPart[] {
  return [
    ...silent(`state of ${name}`, state),
    ...silent(`${serving.value?.noun ?? "host or endpoint"} of ${name}`, serving),
    ...silent(`SSH to the host of ${name}`, host),
  ];
}

function silentOfAccount(account: AccountReadings): readonly SilentPart[] {
  const title = account.emulated ? "the emulated AWS" : "AWS";
  const { clock, number, inventory, ledger } = account;
  const unanswered = (inventory.value?.unanswered ?? []).map(({ question, why }) => {
    return { part: question, why, at: inventory.at ?? "" };
  });
  const uncounted = (ledger.value?.unanswered ?? []).map((why) => {
    return { part: "launch records, counted as last seen", why, at: ledger.at ?? "" };
  });
  return [
    ...silent(`clock of ${title}`, clock),
    ...silent(`credentials of ${title}`, number),
    ...silent(`inventory of ${title}`, inventory),
    ...unanswered,
    ...silent(`launch records of ${title}`, ledger),
    ...uncounted,
  ];
}

/** What everything that was read comes to; pure. What did not answer is named, and hides nothing else. */
export function makeView(readings: DashboardReadings): DashboardView {
  const { now, stacks, accounts } = readings;
  const views = stacks.map((stack) => {
    const account = accounts.find(({ emulated }) => emulated === stack.emulated);
    const runId = stack.state.value?.lease?.runId;
    const runs = account === undefined ? [] : accountRuns(account, now);
    return stackView(stack, {
      now: account === undefined ? new Date(now) : accountNow(account, now),
      lines: account?.ledger.value?.lines ?? [],
      linesAt: account?.ledger.value?.at,
      run: runs.find((run) => run.runId === runId),
    });
  });
  const own = new Set(stacks.flatMap(({ state }) => state.value?.lease?.runId ?? []));
  const shown = new Set(stacks.map(({ name }) => name));
  return {
    madeAt: now,
    listed: readings.names.value !== undefined,
    stacks: views,
    idle: readings.files.filter((name) => !shown.has(name)),
    accounts: accounts.map((account) => accountView(account, now, own)),
    silent: [
      ...silent("list of stacks", readings.names),
      ...stacks.flatMap(silentOfStack),
      ...accounts.flatMap(silentOfAccount),
    ],
    hourlyUsd: views.reduce((sum, { cost }) => sum + (cost?.hourlyUsd ?? 0), 0),
  };
}
