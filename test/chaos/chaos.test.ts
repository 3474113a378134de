import assert from "node:assert/strict";
import { live } from "./lifetime.ts";

/** Lives in an everyday run; `npm run test:chaos` asks for many more. */
const everyday = 150;

describe("chaos", function () {
  const asked = Number(process.env["BERTH_CHAOS_LIFETIMES"] ?? everyday);
  const one = process.env["BERTH_CHAOS_SEED"];
  const first = one === undefined ? 1 : Number(one);
  const count = one === undefined ? asked : 1;
  this.timeout(20_000 + count * 200);

  it(`keeps its promises over ${count} random lives`, async () => {
    let [calls, instances] = [0, 0];
    for (let seed = first; seed < first + count; seed += 1) {
      const life = await live(seed);
      const replay = `seed ${seed} (BERTH_CHAOS_SEED=${seed} npm run test:chaos)`;
      assert.deepEqual(life.violations, [], replay);
      calls += life.calls;
      instances += life.instances;
    }
    // A life in which nothing was launched proves nothing.
    assert.ok(instances > 0 && calls > count * 10);
    if (count > everyday)
      console.log(`      ${count} lives, ${instances} instances, ${calls} calls`);
  });
});
