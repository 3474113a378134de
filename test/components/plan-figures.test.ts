import assert from "node:assert/strict";
import fc from "fast-check";
import { gib, timeText, usd } from "../../components/plan-figures.ts";
import { mebibytes } from "../../components/sizing/mebibytes.ts";
import { readFlags } from "../../scripts/plan/plan-flags.ts";

/** What a text says, in the unit of its last word. */
function read(text: string, units: Readonly<Record<string, number>>): number {
  const [figure = "", unit = ""] = text.split(" ");
  return Number(figure.replaceAll(",", "")) * (units[unit] ?? NaN);
}

describe("Units", () => {
  it("come back as they went: bytes and MiB, MiB and GiB, thousands and millions of tokens", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 46 }), (bytes) => {
        const mib = mebibytes(bytes);
        assert.ok(Math.abs(mib * 1024 ** 2 - bytes) <= bytes * 1e-12);
        assert.ok(Math.abs(read(gib(mib), { GiB: 1024 }) - mib) <= 0.05 * 1024 + 1e-6);
      }),
    );
    const suffixes = fc.constantFrom<[string, number]>(["", 1], ["k", 1e3], ["M", 1e6], ["B", 1e9]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), suffixes, (count, [suffix, factor]) => {
        const { request, problems } = readFlags({
          env: "dev",
          task: "finetune",
          tokens: `${count}${suffix}`,
        });
        assert.deepEqual(problems, []);
        assert.equal(request.training?.datasetTokens, count * factor);
      }),
    );
  });

  it("lose no more of a time or a price than what is not shown of it", () => {
    const seconds = { ms: 0.001, s: 1, min: 60, h: 3600, days: 86_400 };
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e8, noNaN: true }), (each) => {
        assert.ok(Math.abs(read(timeText(each), seconds) / each - 1) <= 0.051, timeText(each));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0.0001, max: 1e6, noNaN: true }), (each) => {
        const shown = Number(usd(each).replaceAll(/[$,]/g, ""));
        assert.ok(Math.abs(shown - each) <= (each < 1 ? 0.000_051 : each < 1000 ? 0.0051 : 0.51));
      }),
    );
    assert.equal(usd(0.000_01), "under $0.0001");
    assert.equal(usd(0), "$0.0000");
  });
});
