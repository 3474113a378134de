import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { previewCost } from "../../../components/cost/previewed-cost.ts";
import { egressBound } from "../../../components/cost/egress-bound.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import { pricedRegions } from "../../../components/pricing/region-prices.ts";
import {
  parseServingImages,
  servingContainer,
} from "../../../components/sagemaker-endpoint/serving-container.ts";
import { makePlan } from "../../../components/sizing/make-plan.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";

const catalogue = loadShippedCatalogue();
const images = parseServingImages(
  JSON.parse(
    readFileSync(
      new URL("../../../components/sagemaker-endpoint/data/serving-images.json", import.meta.url),
      "utf8",
    ),
  ),
);

function request(region: string, more: Partial<PlanRequest> = {}): PlanRequest {
  return {
    model: "llama-2-7b",
    region,
    env: "test",
    spot: false,
    leaseHours: 4,
    ...more,
  };
}

describe("every region that has prices", () => {
  for (const region of pricedRegions) {
    it(`has a ladder, its costs and its carbon: ${region}`, () => {
      // The smallest GPU that every region has is a T4, which holds this in 8 bit.
      const report = makeReport(request(region, { precision: "int8" }), catalogue);
      const [rung] = report.ladder;
      assert.equal(rung?.region, region);
      assert.ok(rung.hourly.volumeUsd > 0 && rung.hourly.publicIpv4Usd > 0);
      assert.ok((rung.energy?.gridGramsPerKwh ?? 0) > 0);
      assert.ok((report.around?.weightsMonthlyUsd ?? 0) > 0);
      assert.ok((rung.sagemaker?.hourlyUsd ?? 0) > rung.hourlyUsd || rung.sagemaker === undefined);
    });

    it(`has a serving image of SageMaker: ${region}`, () => {
      const plan = makePlan(request(region, { precision: "int8" }), catalogue);
      const { image } = servingContainer(plan, images, { region });
      assert.match(image, new RegExp(`^\\d{12}\\.dkr\\.ecr\\.${region}\\.amazonaws\\.com/`));
    });
  }

  it("has the sender's price in a preview whose weights come from elsewhere", () => {
    const planned = (region: string, weightsRegion: string) =>
      previewCost(
        {
          hourlyUsd: 1,
          atMost: false,
          month: { usd: 730, hours: 730, basis: "always" },
          region,
          weightsGiB: 10,
          weightsRegion,
        },
        undefined,
      ).once.syncUsd;
    const fromTokyo = planned("us-east-1", "ap-northeast-1");
    const toTokyo = planned("ap-northeast-1", "us-east-1");
    assert.ok(fromTokyo > 4 * toTokyo, `${fromTokyo} and ${toTokyo}`);
  });
});

describe("egressBound", () => {
  it("has a price for what leaves any of them", () => {
    const sent = pricedRegions.map((region) => ({
      resourceId: "i-1",
      runId: "r",
      region,
      bytes: 1e12,
    }));
    const bound = egressBound(sent);
    assert.deepEqual(bound.unpricedRegions, []);
  });
});

describe("a plan over all regions", () => {
  it("takes the cheapest, and ties in the order that was asked for", () => {
    const [first = "", ...otherRegions] = pricedRegions;
    const all = makeReport(request(first, { otherRegions }), catalogue);
    const alone = makeReport(request(first), catalogue);
    assert.equal(all.ladder[0]?.region, first);
    assert.equal(all.ladder[0].hourly.totalUsd, alone.ladder[0]?.hourly.totalUsd);
    const europe = makeReport(
      request("eu-west-1", { otherRegions: ["eu-north-1"], gpuFamilies: ["g5"] }),
      catalogue,
    );
    assert.equal(europe.ladder[0]?.region, "eu-north-1");
  });
});
