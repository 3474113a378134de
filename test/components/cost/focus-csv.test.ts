import assert from "node:assert/strict";
import { focusCsv } from "../../../components/cost/focus-csv.ts";
import type { LedgerLine } from "../../../components/cost/ledger.ts";

const line: LedgerLine = {
  runId: "0123456789ab",
  stack: "dev",
  env: "dev",
  owner: "alice@example.org",
  model: "qwen2.5-7b",
  region: "us-east-1",
  day: "2026-12-31",
  kind: "instance",
  resourceId: "i-1",
  type: "g6.xlarge",
  unitHours: 2.5,
  usd: 2.012,
};

describe("focusCsv", () => {
  it("fills FOCUS's columns, across the end of a year", () => {
    const [head = "", row = ""] = focusCsv([line]).split("\r\n");
    const names = head.split(",");
    const cells = row.split(",");
    const cell = (name: string) => cells[names.indexOf(name)];
    assert.equal(cell("BilledCost"), "2.012000");
    assert.equal(cell("ChargePeriodEnd"), "2027-01-01T00:00:00Z");
    assert.equal(cell("BillingPeriodEnd"), "2027-01-01T00:00:00Z");
    assert.equal(cell("ConsumedQuantity"), "2.500000");
    assert.equal(cell("ServiceName"), "Amazon Elastic Compute Cloud");
  });

  it("quotes what CSV would break at, and takes formulas their force", () => {
    const [, row = ""] = focusCsv([{ ...line, resourceId: '=HYPERLINK("x")' }]).split("\r\n");
    assert.ok(row.includes(`"'=HYPERLINK(""x"")"`), row);
  });
});
