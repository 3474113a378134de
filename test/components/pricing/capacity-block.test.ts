import assert from "node:assert/strict";
import fc from "fast-check";
import { capacityBlockDays } from "../../../components/pricing/capacity-block.ts";

describe("capacityBlockDays", () => {
  it("has days up to two weeks, whole weeks up to 26, and nothing longer", () => {
    const hours = [1, 24, 25, 14 * 24, 14 * 24 + 1, 182 * 24, 182 * 24 + 1];
    assert.deepEqual(hours.map(capacityBlockDays), [1, 1, 2, 14, 21, 182, undefined]);
  });

  it("is never shorter than what was asked", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 182 * 24, noNaN: true }), (hours) => {
        assert.ok((capacityBlockDays(hours) ?? 0) * 24 >= hours);
      }),
    );
  });
});
