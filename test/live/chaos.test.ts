import assert from "node:assert/strict";
import { live } from "../chaos/lifetime.ts";

/** Seeds that the everyday run does not live. */
const [first, lives] = [10_001, 1000];

describe("chaos, at length", function () {
  this.timeout(600_000);

  it(`keeps its promises over ${lives} random lives`, async () => {
    let [instances, endpoints] = [0, 0];
    for (let seed = first; seed < first + lives; seed += 1) {
      const life = await live(seed);
      assert.deepEqual(life.violations, [], `BERTH_CHAOS_SEED=${seed} npm run test:chaos`);
      instances += life.instances;
      endpoints += life.endpoints;
    }
    assert.ok(instances > lives / 10 && endpoints > lives / 10);
  });
});
