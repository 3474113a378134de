import assert from "node:assert/strict";
import { measureClientCeiling } from "../../../scripts/load/client-ceiling.ts";

describe("measureClientCeiling", () => {
  it("counts the parts of a server that answers at once", async () => {
    const partsPerSecond = await measureClientCeiling(0.3);
    // Whatever else the machine does, it is more than one stream of a token in 10 ms.
    assert.ok(partsPerSecond > 100, `${partsPerSecond} parts/s`);
  });
});
