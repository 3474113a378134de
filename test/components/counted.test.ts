import assert from "node:assert/strict";
import { counted } from "../../components/counted.ts";

describe("counted", () => {
  it("says one thing and several", () => {
    const said = [
      counted(1, "run"),
      counted(0, "run"),
      counted(2, "address"),
      counted(3, "policy"),
    ];
    assert.deepEqual(said, ["1 run", "0 runs", "2 addresses", "3 policies"]);
    assert.equal(counted(2, "key"), "2 keys");
  });
});
