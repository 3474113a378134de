import assert from "node:assert/strict";
import { egressBound, largestAnswerBytes } from "../../../components/cost/egress-bound.ts";

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

  it("takes each answer of an endpoint for the largest that there is, and no bytes of it for a host's", () => {
    const endpoint = { ...host("dev-e", "us-east-1", 40 * largestAnswerBytes), requests: 40 };
    const bound = egressBound([host("i-1", "us-east-1", 10e9), endpoint]);
    assert.equal(bound.sentGB, 10);
    assert.equal(bound.atMostUsd, 0.99);
    assert.deepEqual([bound.hosts.length, bound.endpoints[0]?.atMostUsd], [1, 0.09]);
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
