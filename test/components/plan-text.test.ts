import assert from "node:assert/strict";
import { planLines, usd } from "../../components/plan-text.ts";
import { somePlan } from "../support/builders.ts";

describe("planLines", () => {
  const text = (change = {}): string => planLines(somePlan(change)).join("\n");

  it("says what, on which type, for how much and until when", () => {
    const lines = text({ model: "llama-2-7b" });
    assert.match(lines, /^model {6}llama-2-7b \(12\.6 GiB of weights; licence llama2, gated/m);
    assert.match(
      lines,
      /^memory {5}17\.1 GiB: weights 12\.6 GiB .*KV cache 2\.0 GiB .*engine 2\.5 GiB/m,
    );
    assert.match(lines, /^type {7}g6\.xlarge: 1 x L4/m);
    assert.match(
      lines,
      /^price {6}at most \$0\.8136 an hour, .*\(spot, us-east-1; AWS Price List, 2026-07-20\)/m,
    );
    assert.match(lines, /^ends {7}4 h after it begins, and costs at most \$3\.25/m);
    assert.match(lines, /g4dn\.xlarge \(\$0\.5260\): needs 17\.1 GiB/);
  });

  it("gives an on-demand price as it is", () => {
    assert.match(text({ spot: false }), /^price {6}\$/m);
  });

  it("says that nothing ends it when nothing does", () => {
    assert.match(text({ leaseHours: undefined }), /^ends {7}never by itself/m);
  });
});

describe("usd", () => {
  it("shows hundredths of a cent below a dollar", () => {
    assert.equal(usd(0.5), "$0.5000");
    assert.equal(usd(12.345), "$12.35");
  });
});
