import type { LedgerLine } from "./ledger.ts";
import type { UsageKind } from "./usage.ts";

const services: Readonly<Record<UsageKind, readonly [name: string, category: string]>> = {
  instance: ["Amazon Elastic Compute Cloud", "Compute"],
  volume: ["Amazon Elastic Block Store", "Storage"],
  address: ["Amazon Virtual Private Cloud", "Networking"],
  endpoint: ["Amazon SageMaker", "AI and Machine Learning"],
  "training-job": ["Amazon SageMaker", "AI and Machine Learning"],
  notebook: ["Amazon SageMaker", "AI and Machine Learning"],
  bucket: ["Amazon Simple Storage Service", "Storage"],
  egress: ["AWS Data Transfer", "Networking"],
};

/** Columns of FOCUS 1.0 that a ledger can fill: https://focus.finops.org/focus-specification/v1-0/ */
const columns: readonly (readonly [name: string, value: (line: LedgerLine) => string])[] = [
  ["BilledCost", ({ usd }) => usd.toFixed(6)],
  ["EffectiveCost", ({ usd }) => usd.toFixed(6)],
  ["BillingCurrency", () => "USD"],
  ["BillingPeriodStart", ({ day }) => `${day.slice(0, 7)}-01T00:00:00Z`],
  ["BillingPeriodEnd", ({ day }) => `${nextMonth(day)}-01T00:00:00Z`],
  ["ChargeCategory", () => "Usage"],
  ["ChargeDescription", ({ kind, type }) => `${kind} ${type} (estimate by the price at launch)`],
  ["ChargePeriodStart", ({ day }) => `${day}T00:00:00Z`],
  ["ChargePeriodEnd", ({ day }) => `${nextDay(day)}T00:00:00Z`],
  ["ConsumedQuantity", ({ unitHours }) => unitHours.toFixed(6)],
  ["ConsumedUnit", ({ kind }) => (kind === "volume" || kind === "bucket" ? "GiB-Hours" : "Hours")],
  ["ProviderName", () => "AWS"],
  ["PublisherName", () => "AWS"],
  ["RegionId", ({ region }) => region],
  ["ResourceId", ({ resourceId }) => resourceId],
  ["ResourceType", ({ type }) => type],
  ["ServiceCategory", ({ kind }) => services[kind][1]],
  ["ServiceName", ({ kind }) => services[kind][0]],
  [
    "Tags",
    ({ env, owner, model, stack, runId }) =>
      JSON.stringify({
        "berth:env": env,
        "berth:model": model,
        "berth:owner": owner,
        "berth:run-id": runId,
        "berth:stack": stack,
      }),
  ],
];

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function nextMonth(day: string): string {
  const [year = 0, month = 0] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 7);
}

/** A field of RFC 4180; one that a spreadsheet would take for a formula gets an apostrophe. */
function field(text: string): string {
  const safe = /^[=+@-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A ledger in FOCUS's columns, as CSV, for those who pay. */
export function focusCsv(lines: readonly LedgerLine[]): string {
  const rows = [
    columns.map(([name]) => name),
    ...lines.map((line) => columns.map(([, value]) => field(value(line)))),
  ];
  return rows.map((row) => `${row.join(",")}\r\n`).join("");
}
