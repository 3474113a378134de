import assert from "node:assert/strict";
import { ZodError } from "zod";
import {
  gpuTablePrices,
  hostingTablePrices,
  keptPrices,
  spotFeedPrices,
} from "../../../scripts/generate/public-tables.ts";

const gpuTable = `// Auto-generated
// Last updated: 2026-08-26

var instanceData = [
  {
    "name": "g6.xlarge",
    "gpu": "NVIDIA L4",
    "pricing": {
      "eu-west-2": { "onDemand": 1.0216, "reserved": 0.66506 },
      "us-gov-east-1": { "onDemand": 1.0144 }
    },
    "availability": ["eu-west-2", "us-gov-east-1"]
  },
  { "name": "p5e.48xlarge", "pricing": {} }
];
`;

const spotFeed = (usd: string) =>
  JSON.stringify({
    vers: 0.01,
    config: {
      rate: "perhr",
      regions: [
        {
          region: "us-west-2",
          instanceTypes: [
            {
              type: "gpuCurrentGen",
              sizes: [
                {
                  size: "g6.xlarge",
                  valueColumns: [
                    { name: "linux", prices: { USD: usd } },
                    { name: "mswin", prices: { USD: "0.2645" } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  });

describe("public tables of prices", () => {
  it("are read behind the assignment of a script, with a term where there is one", () => {
    const { onDemandHourlyUsd, oneYearHourlyUsd } = gpuTablePrices([gpuTable]);
    assert.deepEqual(onDemandHourlyUsd, {
      "eu-west-2": { "g6.xlarge": 1.0216 },
      "us-gov-east-1": { "g6.xlarge": 1.0144 },
    });
    assert.deepEqual(oneYearHourlyUsd, { "eu-west-2": { "g6.xlarge": 0.66506 } });
  });

  it("have spot for Linux, and none where the feed says that there is none", () => {
    assert.deepEqual(spotFeedPrices(spotFeed("0.4455")).spotHourlyUsd, {
      "us-west-2": { "g6.xlarge": 0.4455 },
    });
    assert.deepEqual(spotFeedPrices(spotFeed("N/A*")).spotHourlyUsd, {});
  });

  it("are refused in another form, and keep only what is known", () => {
    assert.throws(() => hostingTablePrices('{"us-east-1": {"ml.g5.xlarge": "1.408"}}'), ZodError);
    assert.throws(() => spotFeedPrices("{}"), ZodError);
    const table = { "us-gov-west-1": { a: 1 }, "us-east-1": { b: 2, a: 1, c: 3 } };
    const kept = keptPrices(table, ["us-east-1", "eu-west-1"], new Set(["a", "b"]));
    assert.deepEqual(kept, { "us-east-1": { a: 1, b: 2 } });
    assert.deepEqual(Object.keys(Object.values(kept)[0] ?? {}), ["a", "b"]);
  });
});
