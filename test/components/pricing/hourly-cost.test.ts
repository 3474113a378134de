import assert from "node:assert/strict";
import { roundUsd, volumeHourlyUsd } from "../../../components/pricing/hourly-cost.ts";
import { UserError } from "../../../components/user-error.ts";

describe("volumeHourlyUsd", () => {
  it("divides the monthly price over 730 hours", () => {
    assert.equal(volumeHourlyUsd("us-east-1", 730), 0.08);
    assert.equal(volumeHourlyUsd("eu-west-1", 730), 0.088);
  });

  it("names the priced regions when this is none of them", () => {
    assert.throws(
      () => volumeHourlyUsd("mars-north-1", 1),
      (error) => error instanceof UserError && (error.hint ?? "").includes("us-west-2"),
    );
  });
});

describe("roundUsd", () => {
  it("keeps hundredths of a cent", () => {
    assert.equal(roundUsd(0.123456), 0.1235);
    assert.equal(roundUsd(0.1 + 0.2), 0.3);
  });
});
