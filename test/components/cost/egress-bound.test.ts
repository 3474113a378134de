import assert from "node:assert/strict";
import { egressBound } from "../../../components/cost/egress-bound.ts";

const host = (resourceId: string, region: string, bytes: number) => ({
  ...{ resourceId, region, bytes },
  runId: "0123456789ab",
});

describe("egressBound", () => {
  it("takes every byte for one that went to the internet at the first tier's price", () => {
    const bound = egressBound([host("i-1", "us-east-1", 10e9), host("i-2", "eu-west-1", 5e9)]);
    assert.equal(bound.sentGB, 15);
    assert.equal(bound.atMostUsd, 1.35);
    assert.deepEqual(
      bound.hosts.map(({ atMostUsd }) => atMostUsd),
      [0.9, 0.45],
    );
  });

  it("leaves out hosts of regions without a price, and names these", () => {
    const bound = egressBound([host("i-1", "mars-1", 10e9), host("i-2", "us-east-1", 0)]);
    assert.deepEqual(bound.unpricedRegions, ["mars-1"]);
    assert.equal(bound.atMostUsd, 0);
    assert.deepEqual(
      bound.hosts.map(({ resourceId }) => resourceId),
      ["i-2"],
    );
  });
});
