import assert from "node:assert/strict";
import fc from "fast-check";
import { chooseZones } from "../../../components/network/zones.ts";

const offerings = {
  instanceTypes: ["g5.xlarge", "g6.xlarge", "g5.xlarge", "p5.48xlarge"],
  locations: ["us-east-1c", "us-east-1c", "us-east-1a", "us-east-1b"],
};

describe("chooseZones", () => {
  it("takes the zones that offer most of the ladder first", () => {
    assert.deepEqual(chooseZones(offerings, ["g5.xlarge", "g6.xlarge"], 2), [
      "us-east-1c",
      "us-east-1a",
    ]);
  });

  it("repeats zones where there are too few", () => {
    const zones = chooseZones(offerings, ["g5.xlarge"], 3);
    assert.deepEqual(zones, ["us-east-1a", "us-east-1c", "us-east-1a"]);
  });

  it("has none for a type that is offered nowhere", () => {
    assert.deepEqual(chooseZones(offerings, ["g4dn.xlarge"], 3), []);
  });

  it("does not depend on the order of the answer", () => {
    const pairs = offerings.locations.map(
      (zone, index) => [zone, offerings.instanceTypes[index]!] as const,
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(pairs, { minLength: pairs.length }), (shuffled) => {
        const answer = {
          instanceTypes: shuffled.map(([, type]) => type),
          locations: shuffled.map(([zone]) => zone),
        };
        const ladder = ["g5.xlarge", "g6.xlarge"];
        assert.deepEqual(chooseZones(answer, ladder, 2), chooseZones(offerings, ladder, 2));
      }),
    );
  });
});
