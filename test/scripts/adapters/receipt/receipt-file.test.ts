import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { canonicalJson } from "../../../../components/canonical-json.ts";
import {
  writeReceipt,
  type TeardownReport,
} from "../../../../scripts/adapters/receipt/receipt-file.ts";

const report: TeardownReport = {
  stack: "dev",
  region: "us-east-1",
  at: "2026-11-24T16:00:00Z",
  runId: "0123456789ab",
  asked: ["EC2 instance", "EC2 volume"],
  left: [{ service: "ec2", kind: "volume", id: "vol-1" }],
  unanswered: [],
  destroyed: [],
  removedByTag: [{ service: "ec2", kind: "instance", id: "i-1" }],
  kept: [{ service: "ec2", kind: "volume", id: "vol-1", reason: "VolumeInUse" }],
  cost: { hours: 2, hourlyUsd: 1.5, soFarUsd: 3, hoursLeft: 2 },
};

describe("writeReceipt", () => {
  it("writes JSON whose hash anyone can check, and one page that says the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berth-receipt-"));
    try {
      const { sha256, jsonFile, pageFile } = await writeReceipt(report, folder);
      const read = JSON.parse(await readFile(jsonFile, "utf8")) as {
        report: unknown;
        sha256: string;
      };
      assert.equal(read.sha256, sha256);
      const again = createHash("sha256").update(canonicalJson(read.report)).digest("hex");
      assert.equal(again, sha256);
      const page = await readFile(pageFile, "utf8");
      for (const text of [
        "1 left",
        "ec2 instance i-1",
        "vol-1: VolumeInUse",
        "$3.00 for 2 h 0 min",
        sha256,
      ]) {
        assert.ok(page.includes(text), text);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("canonicalJson", () => {
  it("is the same for the same value, in whatever order its keys are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        assert.equal(canonicalJson(shuffled(JSON.parse(text))), text);
      }),
    );
  });
});

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, entry]) => [key, shuffled(entry)]),
  );
}
