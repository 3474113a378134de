import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { counted } from "../../components/counted.ts";
import { staticPage } from "../../components/dashboard-page/dashboard-page.ts";
import type { DashboardView } from "../../components/dashboard-page/dashboard-view.ts";
import { usd } from "../../components/plan-text.ts";
import { UserError } from "../../components/user-error.ts";
import { findEngine, type EngineChoice } from "../adapters/engine.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { Dashboard } from "../dashboard/dashboard.ts";
import { EngineReader } from "../dashboard/engine-reader.ts";
import { startServer } from "../dashboard/server.ts";
import { exitCode } from "../cli/exit-code.ts";

/** Flags of `berth dashboard`. */
export interface DashboardCommandOptions {
  readonly engine: EngineChoice;
  /** With commas between, besides those of the stacks. */
  readonly regions?: string;
  /** Whether to log in to hosts; `--no-probe` leaves it out. */
  readonly probe?: boolean;
  /** Write one page to this file instead of serving. */
  readonly once?: string;
  /** Of loopback; any free one otherwise. */
  readonly port?: string;
}

function portOf({ port }: DashboardCommandOptions): number {
  if (port === undefined) return 0;
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UserError(`"${port}" is no port.`, { hint: "Give one from 1 to 65535, or none." });
}

async function openDashboard(options: DashboardCommandOptions): Promise<Dashboard> {
  const reader = new EngineReader(await findEngine(options.engine));
  return new Dashboard({
    stackNames: () => reader.stackNames(),
    facts: (stack) => reader.facts(stack),
    regions: options.regions?.split(",").map((name) => name.trim()) ?? [],
    probe: options.probe ?? true,
  });
}

function stackLines({ stacks, silent }: DashboardView): readonly string[] {
  return [
    ...stacks.map(({ name, status, instanceType, hourlyUsd, cost }) => {
      const price = hourlyUsd === undefined ? "" : `, ${usd(hourlyUsd)} an hour`;
      const sum = cost === undefined ? "" : `, ${usd(cost.usd)} so far`;
      return `${name.padEnd(14)} ${status.text}: ${instanceType || "nothing that serves"}${price}${sum}`;
    }),
    ...silent.map(({ part, why }) => `no answer      ${part}: ${why}`),
  ];
}

/** Reads everything once, and writes it to a file, the standard output, or both. */
async function showOnce(
  options: DashboardCommandOptions,
  dashboard: Dashboard,
  terminal: Terminal,
): Promise<number> {
  await dashboard.refresh();
  const { view } = dashboard;
  if (options.once !== undefined) {
    await writeFile(options.once, staticPage(view), { mode: 0o600 });
    terminal.say(`dashboard  wrote ${options.once}: ${counted(view.stacks.length, "stack")}`);
  }
  terminal.say(...stackLines(view));
  terminal.result(view);
  return exitCode.ok;
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}

/** `berth dashboard`: every stack of this clone on a page of loopback, until Ctrl-C; or once, into a file or as JSON. It only reads. */
export async function runDashboard(
  options: DashboardCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const port = portOf(options);
  const dashboard = await openDashboard(options);
  if (options.once !== undefined || terminal.json) return showOnce(options, dashboard, terminal);
  const script = readFileSync(new URL("../dashboard/live.mjs", import.meta.url), "utf8");
  const stopped = interrupted();
  const server = await startServer({ dashboard, script, port });
  try {
    terminal.say(
      `dashboard  ${server.url}`,
      "           for this machine only: the address holds the key; Ctrl-C ends it",
    );
    await stopped;
  } finally {
    await server.close();
  }
  return exitCode.ok;
}
