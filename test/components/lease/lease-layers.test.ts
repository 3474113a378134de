import assert from "node:assert/strict";
import fc from "fast-check";
import {
  LayerError,
  rewriteLayers,
  type LeaseLayer,
} from "../../../components/lease/lease-layers.ts";

const [old, wanted] = ["2026-11-24T16:00:00Z", "2026-11-24T20:00:00Z"];

/** How a layer misbehaves: it refuses a write, before or after doing it. */
type Fault = "none" | "refuses" | "loses-answer" | "gone";

function layersOf(faults: readonly Fault[]) {
  const held: (string | undefined)[] = faults.map((fault) => (fault === "gone" ? undefined : old));
  const layers = faults.map((fault, index): LeaseLayer => {
    let failed = false;
    return {
      name: `layer ${index}`,
      read: () => Promise.resolve(held[index]),
      write: (value) => {
        const fails = !failed && (fault === "refuses" || fault === "loses-answer");
        if (!fails || fault === "loses-answer") held[index] = value;
        failed = true;
        return fails ? Promise.reject(new Error("refused")) : Promise.resolve();
      },
    };
  });
  return { held, layers };
}

describe("rewriteLayers", () => {
  it("moves all that are there", async () => {
    const { held, layers } = layersOf(["none", "gone", "none"]);
    const { written } = await rewriteLayers(layers, wanted);
    assert.deepEqual(held, [wanted, undefined, wanted]);
    assert.deepEqual(written, ["layer 0", "layer 2"]);
  });

  it("moves all or none, whichever refuses and whether or not it did it all the same", async () => {
    const fault = fc.constantFrom<Fault>("none", "refuses", "loses-answer", "gone");
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 5 }), async (faults) => {
        const { held, layers } = layersOf(faults);
        const there = () => new Set(held.filter((value) => value !== undefined));
        try {
          await rewriteLayers(layers, wanted);
          assert.ok(!there().has(old));
        } catch (error) {
          assert.ok(error instanceof LayerError);
          assert.deepEqual(error.stuck, []);
          assert.ok(!there().has(wanted));
        }
      }),
    );
  });

  it("names what refused, and what could not be put back", async () => {
    const { layers } = layersOf(["none", "none"]);
    const [first, second] = layers as [LeaseLayer, LeaseLayer];
    let writes = 0;
    const sticky = {
      ...first,
      write: (value: string) =>
        ++writes > 1 ? Promise.reject(new Error("gone dark")) : first.write(value),
    };
    const refusing = { ...second, write: () => Promise.reject(new Error("throttled")) };
    await assert.rejects(rewriteLayers([sticky, refusing], wanted), (error) => {
      assert.ok(error instanceof LayerError);
      assert.match(error.message, /layer 1: throttled/);
      assert.deepEqual(error.stuck, ["layer 1: throttled", "layer 0: gone dark"]);
      return true;
    });
  });
});
