import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { loadShippedCatalogue, snapshotFiles } from "../../../components/catalogue/load.ts";
import { withSnapshot } from "../../../components/catalogue/price-snapshot.ts";
import { parsePrices } from "../../../components/catalogue/prices.ts";
import { pricedRegions, regionPrices } from "../../../components/pricing/region-prices.ts";
import { storagePrice, transferUsdPerGB } from "../../../components/pricing/storage-price.ts";

const folder = new URL("../../../components/catalogue/data/prices/", import.meta.url);
const read = (name: string) =>
  parsePrices(readFileSync(new URL(`${name}.json`, folder), "utf8"), name);
const catalogue = loadShippedCatalogue();

/** On-demand prices of a family in a region over those of us-east-1, smallest and largest. */
function ratios(region: string): ReadonlyMap<string, readonly number[]> {
  const priced = catalogue.instanceTypes.flatMap(({ instanceType, prices = {} }) => {
    const [here, home] = [prices[region], prices["us-east-1"]];
    if (here === undefined || home === undefined) return [];
    const ratio = here.onDemandHourlyUsd / home.onDemandHourlyUsd;
    return [{ family: instanceType.split(".")[0] ?? "", ratio }];
  });
  return new Map(
    [...Map.groupBy(priced, ({ family }) => family)].map(([family, all]) => {
      const each = all.map(({ ratio }) => ratio);
      return [family, [Math.min(...each), Math.max(...each)]];
    }),
  );
}

describe("the public tables of prices", () => {
  it("are those that are loaded, in the form of a refresh, and explained", () => {
    const there = readdirSync(folder).toSorted();
    assert.deepEqual(there, snapshotFiles.map((name) => `${name}.json`).toSorted());
    const sources = readFileSync(new URL("../sources.json", folder), "utf8");
    for (const name of snapshotFiles) {
      const { source, collectedAt } = read(name);
      assert.ok(name.endsWith(collectedAt), name);
      assert.ok(sources.includes(`"name": "${source}"`), source);
    }
  });

  it("have at least twelve regions, each with a name, a grid and prices around an instance", () => {
    assert.ok(pricedRegions.length >= 12, String(pricedRegions.length));
    for (const region of pricedRegions) {
      const prices = regionPrices(region);
      assert.match(prices.name, /^[A-Z].*\(.+\)$/, region);
      assert.ok(prices.gridGramsPerKwh >= 5 && prices.gridGramsPerKwh <= 1000, region);
      assert.ok(prices.gp3MonthlyUsdPerGiB >= 0.08 && prices.gp3MonthlyUsdPerGiB <= 0.16, region);
      assert.ok(prices.egressUsdPerGB >= 0.09 && prices.egressUsdPerGB <= 0.16, region);
      assert.equal(storagePrice(region).region, region);
      assert.ok(storagePrice(region).usdPerGBMonth >= 0.022, region);
    }
  });

  it("have on-demand prices in every region, none far from us-east-1, of one ratio a family", () => {
    for (const region of pricedRegions) {
      const families = ratios(region);
      assert.ok(families.size > 0, region);
      for (const [family, [low = 0, high = 0]] of families) {
        assert.ok(low > 0.4 && high < 3, `${family} in ${region}: ${low} to ${high}`);
        // A digit that was read wrong shows here, for AWS prices all sizes of a family alike.
        assert.ok(high / low < 1.005, `${family} in ${region}: ${low} to ${high}`);
      }
    }
  });

  it("sell spot for less than on demand", () => {
    const all = catalogue.instanceTypes.flatMap(({ instanceType, prices = {}, pastSpot = {} }) =>
      Object.entries(pastSpot).flatMap(([region, { hourlyUsd }]) => {
        const usd = prices[region]?.onDemandHourlyUsd;
        return usd === undefined
          ? []
          : [{ where: `${instanceType} in ${region}`, share: hourlyUsd / usd }];
      }),
    );
    assert.ok(all.length >= 90, `${all.length} spot prices`);
    for (const { where, share } of all) assert.ok(share > 0.05 && share < 1, `${where}: ${share}`);
  });

  it("sell a year for less than on demand, in every region that has one", () => {
    const all = catalogue.instanceTypes.flatMap(({ instanceType, prices = {}, reserved = {} }) =>
      Object.entries(reserved).map(([region, { oneYearHourlyUsd = 0 }]) => ({
        where: `${instanceType} in ${region}`,
        share: oneYearHourlyUsd / (prices[region]?.onDemandHourlyUsd ?? 0),
      })),
    );
    assert.ok(all.length > 350, `${all.length} reservations`);
    for (const { where, share } of all)
      assert.ok(share > 0.5 && share < 0.75, `${where}: ${share}`);
  });

  it("sell the same hardware by SageMaker for more", () => {
    const types = new Map(catalogue.instanceTypes.map((type) => [type.instanceType, type]));
    const all = catalogue.sagemakerTypes.flatMap(({ ec2InstanceType, prices = {} }) =>
      Object.entries(prices).flatMap(([region, { hostingHourlyUsd }]) => {
        const usd = types.get(ec2InstanceType)?.prices?.[region]?.onDemandHourlyUsd;
        return usd === undefined
          ? []
          : [{ where: `${ec2InstanceType} in ${region}`, markup: hostingHourlyUsd / usd }];
      }),
    );
    assert.ok(all.length > 200, `${all.length} prices`);
    for (const { where, markup } of all)
      assert.ok(markup > 1.1 && markup < 1.45, `${where}: ${markup}`);
  });

  it("agree with the nearer source wherever both have a price", () => {
    const shipped = JSON.parse(readFileSync(new URL("../instance-types.json", folder), "utf8")) as {
      rows: readonly {
        instanceType: string;
        prices?: Record<string, { onDemandHourlyUsd: number }>;
      }[];
    };
    const table = read("aws-gpu-2026-08-26").onDemandHourlyUsd;
    let both = 0;
    for (const { instanceType, prices = {} } of shipped.rows) {
      for (const [region, { onDemandHourlyUsd }] of Object.entries(prices)) {
        const other = table[region]?.[instanceType];
        if (other === undefined) continue;
        assert.ok(Math.abs(other - onDemandHourlyUsd) < 0.001, `${instanceType} in ${region}`);
        both += 1;
      }
    }
    assert.ok(both > 100, String(both));
  });
});

describe("withSnapshot", () => {
  const type = catalogue.instanceTypes.find(({ instanceType }) => instanceType === "g6.xlarge");
  assert.ok(type !== undefined);
  const nothing = read("spot-2026-08-10");
  const table = {
    ...nothing,
    collectedAt: "2026-01-02",
    source: "table",
    onDemandHourlyUsd: { "us-east-1": { "g6.xlarge": 9 }, "mars-1": { "g6.xlarge": 9 } },
    spotHourlyUsd: { "mars-1": { "g6.xlarge": 4 } },
  };

  it("fills what is missing, with its day, and changes nothing that is there", () => {
    const { instanceTypes } = withSnapshot({ ...catalogue, instanceTypes: [type] }, table);
    const [made] = instanceTypes;
    assert.equal(made?.prices?.["us-east-1"]?.onDemandHourlyUsd, 0.8048);
    assert.deepEqual(made.prices["mars-1"], {
      onDemandHourlyUsd: 9,
      asOf: "2026-01-02",
      source: "table",
    });
  });

  it("keeps a spot price as one of the past, so that nothing is ranked by it", () => {
    const { instanceTypes } = withSnapshot({ ...catalogue, instanceTypes: [type] }, table);
    assert.equal(instanceTypes[0]?.prices?.["mars-1"]?.spotHourlyUsd, undefined);
    assert.equal(instanceTypes[0]?.pastSpot?.["mars-1"]?.hourlyUsd, 4);
  });
});

describe("transferUsdPerGB", () => {
  it("takes the sender's price, and bounds a region that it does not know", () => {
    assert.equal(transferUsdPerGB("us-east-1", "ap-northeast-1"), 0.02);
    assert.equal(transferUsdPerGB("ap-northeast-1", "us-east-1"), 0.09);
    assert.equal(transferUsdPerGB("us-east-2", "us-east-1"), 0.01);
    assert.equal(transferUsdPerGB("eu-south-2", "us-east-1"), 0.02);
    assert.equal(transferUsdPerGB("af-south-1", "us-east-1"), 0.147);
    assert.equal(transferUsdPerGB("eu-west-1", "eu-west-1"), 0);
  });
});
