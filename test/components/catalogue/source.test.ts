import assert from "node:assert/strict";
import { isOlderThanAYear } from "../../../components/catalogue/source.ts";

describe("isOlderThanAYear", () => {
  const today = "2026-11-26";

  it("takes the day that is named, and the day itself is not yet over a year", () => {
    assert.equal(isOlderThanAYear("2025-11-25", today), true);
    assert.equal(isOlderThanAYear("2025-11-26", today), false);
    assert.equal(isOlderThanAYear("generated 2024-07-20", today), true);
    assert.equal(isOlderThanAYear("2026-05-20 (last change)", today), false);
  });

  it("takes the last day of a month or year, and calls nothing old that names none", () => {
    assert.equal(isOlderThanAYear("2025-11", today), false);
    assert.equal(isOlderThanAYear("2025-10", today), true);
    assert.equal(isOlderThanAYear("2025", today), false);
    assert.equal(isOlderThanAYear("2024", today), true);
    assert.equal(isOlderThanAYear("13.2 GA", today), false);
  });
});
