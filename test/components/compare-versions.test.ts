import assert from "node:assert/strict";
import { compareVersions } from "../../components/compare-versions.ts";

describe("compareVersions", () => {
  it("counts numbers as numbers and what is missing as 0", () => {
    assert.ok(compareVersions("3.9", "3.11") < 0);
    assert.ok(compareVersions("580.126.09", "580.95") > 0);
    assert.equal(compareVersions("12.8", "12.8.0"), 0);
  });

  it("puts a release candidate before its release and after the one before", () => {
    const sorted = ["3.11.9", "3.12.0a7", "3.12.0rc1", "3.12.0rc2", "3.12.0", "3.12.1"];
    assert.deepEqual(sorted.toReversed().toSorted(compareVersions), sorted);
    assert.ok(compareVersions("3.12.0rc1", "3.11") > 0);
  });
});
