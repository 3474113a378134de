import assert from "node:assert/strict";
import { live } from "./lifetime.ts";
import { planted } from "./planted.ts";

/** Lives in an everyday run; `npm run test:chaos` and test/live ask for many more. */
const everyday = 100;

describe("chaos", function () {
  const asked = Number(process.env["BERTH_CHAOS_LIFETIMES"] ?? everyday);
  const one = process.env["BERTH_CHAOS_SEED"];
  const first = one === undefined ? 1 : Number(one);
  const count = one === undefined ? asked : 1;
  this.timeout(180_000 + count * 400);

  it(`keeps its promises over ${count} random lives`, async () => {
    let [calls, instances, endpoints] = [0, 0, 0];
    for (let seed = first; seed < first + count; seed += 1) {
      const life = await live(seed);
      const replay = `seed ${seed} (BERTH_CHAOS_SEED=${seed} npm run test:chaos)`;
      assert.deepEqual(life.violations, [], replay);
      calls += life.calls;
      instances += life.instances;
      endpoints += life.endpoints;
    }
    // A life in which nothing was launched proves nothing.
    assert.ok(instances + endpoints > 0 && calls > count * 10);
    if (count > everyday)
      console.log(
        `      ${count} lives, ${instances} instances, ${endpoints} endpoints, ${calls} calls`,
      );
  });

  for (const [defect, options] of Object.entries(planted)) {
    it(`finds ${defect}`, async () => {
      for (let seed = 10_001; seed < 11_001; seed += 1) {
        if ((await live(seed, options)).violations.length > 0) return;
      }
      assert.fail("a thousand lives found nothing");
    });
  }
});
