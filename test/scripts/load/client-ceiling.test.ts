import assert from "node:assert/strict";
import { measureClientCeiling } from "../../../scripts/load/client-ceiling.ts";

describe("measureClientCeiling", () => {
  it("counts the parts of a server that answers at once", async () => {
    const partsPerSecond = await measureClientCeiling(3);
    // A machine that is free takes tens of thousands.
    assert.ok(partsPerSecond > 20, `${partsPerSecond} parts/s`);
  });
});
