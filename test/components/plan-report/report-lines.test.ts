import assert from "node:assert/strict";
import { findModel } from "../../../components/catalogue/find-model.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { parseOwnGpus } from "../../../components/own-machine/card.ts";
import { planPage } from "../../../components/plan-page/plan-page.ts";
import { explainLines } from "../../../components/plan-report/explain-lines.ts";
import { groupedReasons } from "../../../components/plan-report/grouped-reasons.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import { reportLines } from "../../../components/plan-report/report-lines.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-2-7b",
  env: "dev",
  region: "us-east-1",
  spot: true,
  leaseHours: 4,
};
const report = (change: Partial<PlanRequest> = {}, gpus?: string) =>
  makeReport(
    { ...base, ...change },
    catalogue,
    gpus === undefined ? undefined : { gpus: parseOwnGpus(gpus), electricityUsdPerKwh: 0.17 },
  );
const text = (...given: Parameters<typeof report>): string =>
  reportLines(report(...given)).join("\n");

describe("reportLines", () => {
  it("says speed, price, what is around it, SageMaker, carbon and software of a server", () => {
    const lines = text({ concurrency: 2 });
    assert.match(lines, /^speed {6}.* for a request of 1024 \+ 256 tokens, 2 at once/m);
    assert.match(lines, /^price {6}at most \$0\.8186 an hour: instance \$0\.8048, 80 GiB volume/m);
    assert.match(lines, /no spot price is known, so the most that it can cost is shown/);
    assert.match(lines, /for 1 M answer tokens at 2 at once/);
    assert.match(lines, /^around it {2}weights in S3 \$0\.\d+ a month/m);
    assert.match(lines, /^SageMaker {2}ml\.g6\.xlarge \$1\.13 an hour .* below 530 h a month/m);
    assert.match(lines, /^carbon {5}.* kWh and .* g CO2 an hour/m);
    assert.match(lines, /^software {3}PyTorch/m);
    assert.match(lines, /^licence {4}.* \(https:\/\/.*\): commercial use: conditional; /m);
    assert.match(lines, /^ {2}g6\.xlarge +1 x L4 +spot +us-east-1/m);
  });

  it("says how long an image takes and costs, and that it is not known of others", () => {
    const lines = text({ model: "sdxl", concurrency: 2, imageSteps: 30 });
    assert.match(
      lines,
      /^speed {6}.* for 2 images at once of 30 steps; .* an hour; .* a thousand/m,
    );
    assert.match(lines, /\$ 1000 images/);
    assert.match(
      text({ customModel: { ...findModel("sdxl", catalogue), denoising: undefined } }),
      /^speed {6}not known/m,
    );
  });

  it("says what a reservation costs, and from which hours on it pays", () => {
    const lines = text({ spot: false });
    assert.match(lines, /reserved, every hour paid: 1 year \$0\.5239, 3 years not known \(.*2026/);
    assert.match(lines, /the year pays above 475 h a month/);
    assert.match(text({ spot: false, instanceTypes: ["p5.4xlarge"] }), /no 1- or 3-year price/);
  });

  it("says how a Capacity Block is sold", () => {
    const lines = text({ capacityBlock: true, leaseHours: 30 });
    assert.match(lines, /\(capacity-block, us-east-1; capacity-blocks-json, 2026-01-31\)/);
    assert.match(lines, /paid in advance, .*; 2 days for this lease/);
  });

  it("shows a spot price where the catalogue has one, and never the on-demand price in its place", () => {
    const priced = {
      ...catalogue,
      instanceTypes: catalogue.instanceTypes.map((type) => {
        const price = type.prices?.["us-east-1"];
        if (price === undefined) return type;
        return { ...type, prices: { "us-east-1": { ...price, spotHourlyUsd: 0.3 } } };
      }),
    };
    const lines = reportLines(makeReport(base, priced)).join("\n");
    assert.match(lines, /spot was \$0\.3000 on 2026-07-20/);
    assert.match(lines, /at most \$0\.8186 an hour/);
  });

  it("says the range over zones, and the day of a spot price that is past", () => {
    const known = catalogue.instanceTypes.map((type) => {
      const price = type.prices?.["us-east-1"];
      if (price === undefined) return type;
      const spot = { spotHourlyUsd: 0.3, spotHighHourlyUsd: 0.42 };
      return { ...type, prices: { "us-east-1": { ...price, ...spot } } };
    });
    const zones = reportLines(makeReport(base, { ...catalogue, instanceTypes: known })).join("\n");
    assert.match(zones, /spot was \$0\.3000 to \$0\.4200 by zone on 2026-07-20/);
    const past = reportLines(makeReport({ ...base, region: "us-west-2" }, catalogue)).join("\n");
    assert.match(past, /spot of 2026-08-10 was \$0\.4455 \(spot-feed\), and has moved since/);
  });

  it("warns of a limit that spot was above", () => {
    const asked = { ...base, region: "us-west-2", instanceTypes: ["g6.xlarge"] };
    const low = reportLines(makeReport({ ...asked, spotMaxHourlyUsd: 0.4 }, catalogue)).join("\n");
    assert.match(low, /spot of 2026-08-10 was \$0\.4455, above the \$0\.4000 that is paid at most/);
    const high = reportLines(makeReport({ ...asked, spotMaxHourlyUsd: 0.5 }, catalogue)).join("\n");
    assert.doesNotMatch(high, /that is paid at most/);
  });

  it("says time and price of a job, and that a lease is too short for it", () => {
    const lines = text({ task: "finetune", training: { datasetTokens: 100_000_000 } });
    assert.match(lines, /^time {7}.* an epoch of 100 M tokens, .* for 3 epochs;/m);
    assert.match(lines, /^job {8}\$/m);
    assert.match(lines, /^mind {7}the lease of 4 h may end before the job does/m);
    assert.match(lines, /ladder, by the price of the job/);
    assert.match(lines, /\$ a job/);
  });

  it("says no price of a month of what ends by itself", () => {
    const server = report();
    const training = report({ task: "finetune" });
    const shown = [
      [reportLines, /a month of 730 h|\$ a month/],
      [explainLines, /a month: /],
      [(made: typeof server) => [planPage(made)], /\$ a month|\$[\d.]+ a month;/],
    ] as const;
    for (const [show, month] of shown) {
      assert.match(show(server).join("\n"), month);
      assert.doesNotMatch(show(training).join("\n"), month);
    }
  });

  it("says what a thousand images cost to learn from on each rung", () => {
    const lines = text({ model: "sdxl", task: "finetune" });
    assert.match(lines, /\$ 1000 images/);
    assert.match(lines, /^ {2}g6\.xlarge .* \$0\.\d+ to \$0\.\d+ /m);
  });

  it("says whether the own machine does, and what else there is", () => {
    const lines = text({}, "RTX 3060 12GB");
    assert.match(lines, /^your GPUs {2}RTX 3060 12GB: no; needs/m);
    assert.match(lines, /to buy: .* paid for after .* h of renting/);
    assert.match(lines, /to make it fit RTX 3060 12GB/);
  });

  it("says the longest context of one sequence alone, which fits as it is and no longer", () => {
    assert.match(
      text({ model: "llama-3.1-8b", contextTokens: 8192, concurrency: 8 }),
      /^ {11}one sequence alone may have 131,072 tokens, all that the model takes$/m,
    );
    const tight = { model: "llama-3.1-8b", instanceTypes: ["g6.xlarge"] };
    const { longestContext } = report(tight);
    assert.equal(longestContext?.ofModel, false);
    const holds = (contextTokens: number) =>
      report({ ...tight, contextTokens }).ladder[0]?.comfortable === true;
    assert.ok(holds(longestContext.tokens));
    assert.ok(!holds(longestContext.tokens + 512));
    assert.equal(report({ model: "sdxl" }).longestContext, undefined);
  });

  it("says what fewer bits would cost, where they are cheaper and none were asked for", () => {
    const wide = { model: "llama-3.1-8b", contextTokens: 8192, concurrency: 8 };
    const line =
      /^fewer bits --precision fp8: g6\.xlarge \(1 x L4\) at \$0\.\d+ an hour, [\d.]+ GiB a GPU; a small loss/m;
    assert.match(text(wide), line);
    const [chosen] = report(wide).ladder;
    for (const { hourlyUsd } of report(wide).smallerForms) {
      assert.ok(hourlyUsd < (chosen?.hourly.totalUsd ?? 0));
    }
    // Already on the cheapest type; named; already in few bits; no server.
    for (const change of [
      { model: "qwen2.5-0.5b" },
      { ...wide, precision: "bf16" },
      { model: "gpt-oss-20b", contextTokens: 32_768, concurrency: 32 },
      { ...wide, contextTokens: undefined, concurrency: undefined, task: "finetune" as const },
    ]) {
      assert.deepEqual(report(change).smallerForms, [], JSON.stringify(change));
    }
  });

  it("says that an up would refuse what no engine here serves", () => {
    const words = /^mind {7}it can be planned and not brought up: vLLM \S+ has no code for QWenLM/m;
    assert.match(text({ model: "qwen-7b" }), words);
    assert.doesNotMatch(text({ model: "qwen-7b", task: "finetune" }), /not brought up/);
  });

  it("says that an up would refuse a precision that the engine does not make, and what does", () => {
    const said = text({ model: "llama-2-7b", precision: "int8" });
    assert.match(
      said,
      /^mind {7}.*vllm does not make int8 of fp16.*Set berth:engine to transformers/m,
    );
    assert.doesNotMatch(text({ model: "llama-2-7b", precision: "int4" }), /does not make/);
    const images = text({ model: "stable-diffusion-xl-base-1.0", precision: "int4" });
    assert.match(images, /diffusers does not make int4 .*Bring files that hold it/);
  });

  it("says that nothing holds it", () => {
    assert.match(
      text({ model: "llama-3.1-405b", gpuCount: 1 }),
      /^type {7}none that may be taken/m,
    );
  });
});

describe("explainLines", () => {
  it("adds up to what the plan says", () => {
    const made = report();
    const lines = explainLines(made).join("\n");
    const [chosen] = made.ladder;
    assert.ok(chosen !== undefined);
    for (const { why } of chosen.demand.parts) assert.ok(lines.includes(why), why);
    assert.match(lines, /price an hour = 0\.8048 \+ 0\.0088 \+ 0\.005 = 0\.8186 USD/);
    assert.match(lines, /share of the bandwidth 60 to 85 %/);
    const training = report({ task: "finetune", training: { method: "lora" } });
    assert.match(explainLines(training).join("\n"), /operations a token: 4 for each parameter/);
  });
});

describe("groupedReasons", () => {
  const refused = (instanceType: string, kind: "memory" | "price", reason: string) => ({
    instanceType,
    region: "us-east-1",
    hourlyUsd: 1,
    kind,
    reason,
  });

  it("puts one reason and one kind on one line, and counts what is too many", () => {
    const many = Array.from({ length: 9 }, (_, index) => refused(`t${index}`, "memory", "small"));
    const lines = groupedReasons([refused("p", "price", "dear"), ...many]);
    assert.equal(lines.length, 2);
    assert.match(
      lines[0] ?? "",
      /^too little GPU memory: t0 \(\$1\.00\), .*t5 \(\$1\.00\) and 3 more: small$/,
    );
    assert.equal(lines[1], "price: p ($1.00): dear");
  });

  it("names a type once, however many regions it was looked at in", () => {
    const regions = ["us-east-1", "eu-west-1"].map((region) => ({
      ...refused("t", "memory", "small"),
      region,
    }));
    assert.deepEqual(groupedReasons(regions), ["too little GPU memory: t ($1.00): small"]);
  });
});
