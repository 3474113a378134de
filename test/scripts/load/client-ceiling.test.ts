import assert from "node:assert/strict";
import { measureClientCeiling } from "../../../scripts/load/client-ceiling.ts";

describe("measureClientCeiling", () => {
  it("takes far more parts than any GPU makes, from a server that answers at once", async () => {
    const partsPerSecond = await measureClientCeiling(0.3);
    // 16 streams of one token in 10 ms each would be 1,600.
    assert.ok(partsPerSecond > 1000, `${partsPerSecond} parts/s`);
  });
});
