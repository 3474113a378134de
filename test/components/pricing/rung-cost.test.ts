import assert from "node:assert/strict";
import {
  breakEvenHoursAMonth,
  buyingBreakEvenHours,
} from "../../../components/pricing/break-even.ts";
import { energyOf } from "../../../components/pricing/energy.ts";
import { pricedRegions } from "../../../components/pricing/region-prices.ts";
import {
  aroundCost,
  hourlyParts,
  jobUsd,
  perMillionTokensUsd,
} from "../../../components/pricing/rung-cost.ts";

describe("hourlyParts", () => {
  it("adds instance, volume and address", () => {
    const parts = hourlyParts("us-east-1", 1, 730);
    assert.deepEqual(parts, {
      instanceUsd: 1,
      volumeUsd: 0.08,
      publicIpv4Usd: 0.005,
      totalUsd: 1.085,
    });
  });
});

describe("aroundCost", () => {
  it("counts storage and requests by the weights", () => {
    const { weightsMonthlyUsd, syncUsd, crossRegionSyncUsd } = aroundCost(
      "us-east-1",
      1000 ** 3 / 1024 ** 3,
    );
    assert.equal(weightsMonthlyUsd, 0.023);
    // 120 requests of 8 MiB.
    assert.equal(syncUsd, 0);
    assert.equal(crossRegionSyncUsd, 0.02);
  });
});

describe("perMillionTokensUsd and jobUsd", () => {
  it("turn speed and hours into money, the fast end being the cheap one", () => {
    assert.deepEqual(perMillionTokensUsd(3.6, { low: 10, high: 100 }), { low: 10, high: 100 });
    assert.deepEqual(jobUsd(2, { low: 1, high: 3 }), { low: 2, high: 6 });
  });
});

describe("breakEvenHoursAMonth", () => {
  it("is where both cost the same, and not there for an offer that is no dearer", () => {
    const hours = breakEvenHoursAMonth(1, 1.25);
    assert.equal(hours, 584);
    assert.equal(584 * 1.25, 730);
    assert.equal(breakEvenHoursAMonth(1, 1), undefined);
  });
});

describe("buyingBreakEvenHours", () => {
  it("counts the electricity, and never pays where that is dearer than renting", () => {
    assert.equal(buyingBreakEvenHours(900, 1, 0.1), 1000);
    assert.equal(buyingBreakEvenHours(900, 0.1, 0.1), undefined);
  });
});

describe("energyOf", () => {
  it("multiplies board power, cooling and grid, and knows no board that is not in the table", () => {
    const energy = energyOf("L4", 2, "eu-west-1");
    assert.ok(Math.abs((energy?.kwhAnHour.high ?? 0) - 0.144 * 1.14) < 1e-9);
    assert.ok(Math.abs((energy?.gramsAnHour.high ?? 0) - 0.144 * 1.14 * 316) < 1e-6);
    assert.equal(energyOf("constructor", 1, "us-east-1"), undefined);
  });

  it("knows the grid of every region that has prices", () => {
    for (const region of pricedRegions) assert.ok(energyOf("L4", 1, region) !== undefined, region);
  });
});
