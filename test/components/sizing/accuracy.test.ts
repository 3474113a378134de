import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { estimators } from "../../../bench/sizing/estimators.ts";
import {
  catalogueOfReferences,
  isHeldOut,
  loadReferences,
} from "../../../bench/sizing/reference.ts";
import { errorOf, score, scoreDerived, scoreOutcomes } from "../../../bench/sizing/score.ts";

const catalogue = catalogueOfReferences();
const { measured, outcomes } = loadReferences();
const [ours, ...peers] = estimators;
assert.ok(ours);

/** Bars: median and 90th percentile of the absolute error. */
const bars = {
  serving: { median: 0.05, p90: 0.12 },
  training: { median: 0.1, p90: 0.2 },
} as const;

describe("References", () => {
  it("keep what is set aside set aside", () => {
    const ids = [...measured, ...outcomes]
      .filter(isHeldOut)
      .map(({ id }) => id)
      .toSorted();
    const sum = createHash("sha256").update(ids.join("\n")).digest("hex");
    assert.deepEqual([ids.length, sum.slice(0, 16)], [169, "0c57d58185de42be"]);
  });

  it("name each row once, a model of the catalogue, and a source", () => {
    const rows = [...measured, ...outcomes];
    const ids = new Set(rows.map(({ file, id }) => `${file} ${id}`));
    assert.equal(ids.size, rows.length);
    for (const { model } of rows)
      assert.ok(
        catalogue.models.some(({ id }) => id === model),
        model,
      );
  });

  it("print each figure in the unit that its GiB follows from", () => {
    const gib = { GiB: 1, MiB: 1 / 1024, GB: 1e9 / 1024 ** 3 };
    for (const { id, printed, unit, gib: figure } of measured) {
      if (typeof printed === "string") continue;
      assert.ok(Math.abs(printed * gib[unit] - figure) < 0.011, id);
    }
  });
});

describe("Accuracy", () => {
  it("of adapters under FSDP is not far below what large batches reserve", () => {
    const large = measured.filter(
      ({ file, training, ...row }) =>
        file === "fsdp" &&
        training !== undefined &&
        training.microBatch * training.sequenceTokens >= 8192 &&
        !isHeldOut(row),
    );
    assert.ok(large.length >= 8);
    for (const row of large) assert.ok((errorOf(row, ours, catalogue) ?? -1) > -0.14, row.id);
  });

  for (const task of ["serving", "training"] as const) {
    const rows = measured.filter((row) => row[task] !== undefined);
    for (const [title, part] of [
      ["all rows", rows],
      ["the rows set aside", rows.filter(isHeldOut)],
    ] as const) {
      it(`of ${task} holds its bars on ${title}`, () => {
        const result = score(part, ours, catalogue);
        assert.ok(result);
        assert.ok(result.medianError <= bars[task].median, `median ${result.medianError}`);
        assert.ok(result.p90Error <= bars[task].p90, `p90 ${result.p90Error}`);
      });
    }

    it(`of ${task} is better than every rule it is held against`, () => {
      const whole = rows.filter(({ measures }) =>
        ["process", "allocated", "non-kv"].includes(measures),
      );
      const own = score(whole, ours, catalogue);
      for (const peer of peers) {
        const theirs = score(whole, peer, catalogue);
        if (own === undefined || theirs === undefined) continue;
        assert.ok(own.medianError < theirs.medianError / 2, peer.name);
        assert.ok(own.p90Error < theirs.p90Error / 2, peer.name);
      }
    });
  }

  it("of verdicts is right in 95 %, and calls none to fit that ran out of memory", () => {
    const { rows, right, wronglyFitting } = scoreOutcomes(outcomes, catalogue);
    assert.ok(right >= 0.95 * rows, `${right} of ${rows}`);
    assert.deepEqual(wronglyFitting, []);
  });

  it("of figures held against GPUs is right in 95 %, and calls none to fit that is too large", () => {
    for (const rows of [measured, measured.filter(isHeldOut)]) {
      const { cells, right, tooLarge, wronglyFitting, wronglyComfortable } = scoreDerived(
        rows,
        catalogue,
      );
      assert.ok(right >= 0.95 * cells, `${right} of ${cells}`);
      assert.deepEqual(wronglyFitting, [], `of ${tooLarge}`);
      assert.deepEqual(wronglyComfortable, []);
    }
  });
});
