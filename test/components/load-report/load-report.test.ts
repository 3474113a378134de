import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { findKnee } from "../../../components/load-report/knee.ts";
import { loadReport } from "../../../components/load-report/load-report.ts";
import { loadJsonSchema, loadReportSchema } from "../../../components/load-report/report-schema.ts";
import { resultLines } from "../../../components/load-report/report-lines.ts";
import { rungFigures } from "../../../components/load-report/rung-figures.ts";
import { measured, rungOf, sampleOf } from "./samples.ts";

describe("rungFigures", () => {
  it("counts what came in the window alone, and each latency of what was answered", () => {
    const samples = [
      sampleOf({ answerTokens: 10, firstTokenSeconds: 0.1, lastTokenSeconds: 1, wholeSeconds: 1 }),
      sampleOf({ answerTokens: 10, windowShare: 0.5, wholeSeconds: 3 }),
      sampleOf({ answerTokens: 10, windowShare: 0, begunInWindow: false, wholeSeconds: 5 }),
      sampleOf({ failure: "timeout", answerTokens: 900 }),
    ];
    const figures = rungFigures({ ...rungOf(4, samples), windowSeconds: 2, stoppedParts: 3 }, 1e6);
    assert.equal(figures.answerTokensPerSecond, (10 + 5 + 3) / 2);
    assert.equal(figures.promptTokensPerSecond, (20 + 20) / 2);
    assert.equal(figures.requestsPerSecond, 1.5 / 2);
    assert.equal(figures.failedShare, 0.25);
    assert.deepEqual(figures.failures, { timeout: 1 });
    assert.equal(figures.wholeSeconds?.p50.value, 3);
    assert.ok(Math.abs(figures.perTokenSeconds!.p99.value - 0.1) < 1e-9);
  });

  it("marks a rung in which the client was busy, or near what it takes at most", () => {
    const bound = (change: object, ceiling: number) =>
      rungFigures({ ...rungOf(1, [sampleOf({})]), ...change }, ceiling).clientBound;
    assert.equal(bound({ partsInWindow: 60, windowSeconds: 1 }, 100), false);
    assert.equal(bound({ partsInWindow: 80, windowSeconds: 1 }, 100), true);
    assert.equal(bound({ clientBusy: 0.9 }, 1e9), true);
  });
});

describe("findKnee", () => {
  const unlimited = { firstTokenSeconds: undefined, wholeSeconds: undefined };
  // Throughput rises, then stands still while latency doubles.
  const rungs = [
    [1, 10, 1],
    [2, 19, 1.05],
    [4, 36, 1.1],
    [8, 40, 2],
    [16, 41, 4],
  ].map(([load = 0, tokens = 0, seconds = 0]) =>
    rungFigures(rungOf(load, [sampleOf({ answerTokens: tokens, wholeSeconds: seconds })]), 1e6),
  );

  it("is where tokens a second for each second of latency are most", () => {
    assert.equal(findKnee(rungs, unlimited)?.load, 4);
  });

  it("is the fastest rung that keeps the limits, or none", () => {
    assert.equal(findKnee(rungs, { ...unlimited, wholeSeconds: 2.5 })?.load, 8);
    assert.equal(findKnee(rungs, { ...unlimited, wholeSeconds: 0.5 }), undefined);
    assert.equal(findKnee(rungs, { firstTokenSeconds: 0.01, wholeSeconds: 9 }), undefined);
  });

  it("leaves out rungs that failed or measured the client", () => {
    const [first] = rungs;
    assert.equal(findKnee([{ ...first!, failedShare: 0.02 }], unlimited), undefined);
    assert.equal(findKnee([{ ...first!, clientBound: true }], unlimited), undefined);
  });
});

describe("loadReport", () => {
  it("puts the planner's price beside the measured one, with the ratio of the rates", () => {
    const { rungs } = loadReport(measured());
    for (const { planned, answerTokensPerSecond, perMillionAnswerTokensUsd } of rungs) {
      const { low, high } = planned!.answerTokensPerSecond;
      assert.ok(Math.abs(planned!.ratio - answerTokensPerSecond / Math.sqrt(low * high)) < 1e-9);
      assert.ok(Math.abs(perMillionAnswerTokensUsd! - 2e6 / 3600 / answerTokensPerSecond) < 1e-6);
    }
  });

  it("is what docs/bench.schema.json says", () => {
    const report: unknown = JSON.parse(JSON.stringify(loadReport(measured())));
    loadReportSchema.parse(report);
    const path = new URL("../../../docs/bench.schema.json", import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), loadJsonSchema());
  });

  it("is a table whose columns stand below each other, and says what is wrong", () => {
    const lines = resultLines(loadReport(measured()));
    const [upper = "", lower = "", ...rows] = lines;
    const end = (text: string, word: string) => text.indexOf(word) + word.length;
    assert.equal(end(upper, "first token, ms"), end(lower, "p99"));
    assert.equal(end(upper, "tokens/s"), end(lower, "out"));
    assert.ok(rows.slice(0, 4).every((row) => row.length === lower.length));
    assert.match(lines.join("\n"), /best {7}4 at once/);
    assert.match(lines.join("\n"), /too few requests for an upper bound/);
    assert.match(lines.join("\n"), /failed {5}1 server-error\n {11}server-error: status 500/);
  });
});
