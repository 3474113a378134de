import assert from "node:assert/strict";
import fc from "fast-check";
import { chooseZones, type ZoneWish } from "../../../components/network/zones.ts";

const offerings = {
  instanceTypes: ["g5.xlarge", "g6.xlarge", "g5.xlarge", "p5.48xlarge"],
  locations: ["us-east-1c", "us-east-1c", "us-east-1a", "us-east-1b"],
};

function wish(types: readonly string[], wished: readonly string[] = []): ZoneWish {
  return { types, wished };
}

describe("chooseZones", () => {
  it("takes the zones that were wished for in their order, as far as they offer a type", () => {
    const wished = ["us-east-1b", "us-east-1a", "us-east-1c"];
    assert.deepEqual(chooseZones(offerings, wish(["g5.xlarge"], wished), 2), [
      "us-east-1a",
      "us-east-1c",
    ]);
  });

  it("takes the wish at its word where the offerings may not be asked", () => {
    const zones = chooseZones(undefined, wish(["g5.xlarge"], ["us-east-1f"]), 2);
    assert.deepEqual(zones, ["us-east-1f", "us-east-1f"]);
    assert.deepEqual(chooseZones(undefined, wish(["g5.xlarge"]), 2), []);
  });

  it("takes the zones that offer most of the ladder first", () => {
    assert.deepEqual(chooseZones(offerings, wish(["g5.xlarge", "g6.xlarge"]), 2), [
      "us-east-1c",
      "us-east-1a",
    ]);
  });

  it("repeats zones where there are too few", () => {
    const zones = chooseZones(offerings, wish(["g5.xlarge"]), 3);
    assert.deepEqual(zones, ["us-east-1a", "us-east-1c", "us-east-1a"]);
  });

  it("has none for a type that is offered nowhere", () => {
    assert.deepEqual(chooseZones(offerings, wish(["g4dn.xlarge"]), 3), []);
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
        const ladder = wish(["g5.xlarge", "g6.xlarge"]);
        assert.deepEqual(chooseZones(answer, ladder, 2), chooseZones(offerings, ladder, 2));
      }),
    );
  });
});
