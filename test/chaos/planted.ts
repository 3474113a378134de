import type { LifeOptions } from "./lifetime.ts";

const weekly = { target: "real-time", hours: true, budget: false } as const;

/** Defects that promises break by, each put in on purpose. */
export const planted: Readonly<Record<string, LifeOptions>> = {
  "machines that look at no protection": {
    planted: { definition: (text) => text.replaceAll('"tag:berth:protect"', '"tag:berth:owner"') },
  },
  "machines that end nothing": {
    planted: { definition: () => '{"StartAt":"Nothing","States":{"Nothing":{"Type":"Succeed"}}}' },
  },
  "starts by weekly hours that are tried for half an hour": {
    planted: { startEventMinutes: 30 },
    wish: weekly,
  },
  "protection that a stopped endpoint takes with it": {
    planted: { protectedByEndpointAlone: true },
    wish: weekly,
  },
  "a teardown that goes on after a failed save": { planted: { downAfterFailedSave: true } },
  "a teardown that looks for nothing by its tags": { planted: { downByStateAlone: true } },
  "a ledger that takes an endpoint for one instance": { planted: { ledgerWithoutReports: true } },
};
