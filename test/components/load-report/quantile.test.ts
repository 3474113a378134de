import assert from "node:assert/strict";
import fc from "fast-check";
import { quantile, spreadOf } from "../../../components/load-report/quantile.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("quantile", () => {
  it("is the value by nearest rank, in any order", () => {
    assert.equal(quantile(upTo(100).toReversed(), 0.9)?.value, 90);
    assert.equal(quantile([3, 1, 2], 0.5)?.value, 2);
    assert.equal(quantile([], 0.5), undefined);
    assert.equal(spreadOf([]), undefined);
  });

  it("has the bounds of the order statistics: 40 and 61 for the median of 100", () => {
    // Conover, Practical Nonparametric Statistics: the 40th and 61st of 100 hold the median with 95 %.
    assert.deepEqual(quantile(upTo(100), 0.5), { value: 50, low: 40, high: 61 });
  });

  it("has no bound where there are too few values for one", () => {
    assert.deepEqual(quantile(upTo(5), 0.5), { value: 3, low: undefined, high: undefined });
    assert.equal(quantile(upTo(367), 0.99)?.high, undefined);
    assert.notEqual(quantile(upTo(368), 0.99)?.high, undefined);
  });

  it("holds the true percentile in at least 95 of 100 drawings", () => {
    let state = 7;
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (const share of [0.5, 0.9]) {
      const held = upTo(600).filter(() => {
        const found = quantile(Array.from({ length: 80 }, random), share);
        return (found?.low ?? 0) <= share && share <= (found?.high ?? 1);
      });
      assert.ok(held.length >= 0.94 * 600, `${held.length} of 600 at ${share}`);
    }
  });

  it("lies between its bounds", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: 0, max: 1e6 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.9, 0.99),
        (values, share) => {
          const found = quantile(values, share);
          assert.ok(found !== undefined);
          assert.ok((found.low ?? -1) <= found.value && found.value <= (found.high ?? Infinity));
        },
      ),
      { numRuns: 100 },
    );
  });
});
