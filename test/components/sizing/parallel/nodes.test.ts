import assert from "node:assert/strict";
import { loadCatalogue } from "../../../../components/catalogue/load.ts";
import { explainLines } from "../../../../components/plan-report/explain-lines.ts";
import { makeReport } from "../../../../components/plan-report/make-report.ts";
import { reportLines } from "../../../../components/plan-report/report-lines.ts";
import { planReportSchema } from "../../../../components/plan-report/report-schema.ts";
import { planPage } from "../../../../components/plan-page/plan-page.ts";
import { decide } from "../../../../components/sizing/decide.ts";
import { nodeCounts } from "../../../../components/sizing/parallel/weigh-hosts.ts";
import type { PlanRequest } from "../../../../components/sizing/plan-request.ts";
import { UserError } from "../../../../components/user-error.ts";
import { parallelResults } from "../../../../bench/sizing/parallel.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-3.1-70b",
  env: "prod",
  region: "us-east-1",
  spot: false,
  leaseHours: undefined,
  task: "finetune",
  training: { method: "full" },
};
const rungs = (change: Partial<PlanRequest>) => decide({ ...base, ...change }, catalogue).ladder;
const reasons = (change: Partial<PlanRequest>) => {
  const { rejected } = decide({ ...base, ...change }, catalogue);
  return new Map(rejected.map(({ instanceType, reason }) => [instanceType, reason]));
};

describe("Hosts of a training", () => {
  it("are one where one holds it, and as many as it takes where none does", () => {
    assert.ok(rungs({}).every(({ nodes }) => nodes === undefined));
    const several = rungs({ gpuFamilies: ["p4de", "p5"] });
    assert.ok(several.length > 0);
    assert.ok(several.every(({ nodes, comfortable }) => (nodes ?? 1) > 1 && comfortable));
    const [chosen] = several;
    assert.equal(chosen?.layout?.nodes, chosen?.nodes);
  });

  it("are as many as asked for, and cost as much more", () => {
    const four = rungs({ nodes: { least: 4, most: 4 }, instanceTypes: ["p5.48xlarge"] })[0];
    const eight = rungs({ nodes: { least: 8, most: 8 }, instanceTypes: ["p5.48xlarge"] })[0];
    assert.deepEqual([four?.nodes, eight?.nodes], [4, 8]);
    const [a, b] = [four?.hourly.totalUsd ?? 0, eight?.hourly.totalUsd ?? 0];
    assert.ok(Math.abs(b / a - 2) < 1e-6);
    assert.ok((four?.layout?.step?.stepSeconds.low ?? 0) > 0);
  });

  it("are refused where the type has no fabric to exchange over, or the quota is too small", () => {
    const two = reasons({ nodes: { least: 2, most: 2 }, quotaVcpus: { p: 300 } });
    assert.match(two.get("g6e.4xlarge") ?? "", /no Elastic Fabric Adapter/);
    assert.match(
      two.get("p6-b300.48xlarge") ?? "",
      /needs 384 vCPUs, and the quota for P types is 300/,
    );
  });

  it("are the fewest of a range, which is tried in doubles up to its end", () => {
    assert.deepEqual(nodeCounts({ least: 1, most: 1 }), [1]);
    assert.deepEqual(nodeCounts({ least: 3, most: 20 }), [3, 6, 12, 20]);
    const [chosen] = rungs({ nodes: { least: 1, most: 32 }, instanceTypes: ["p4de.24xlarge"] });
    const [fewer] = rungs({ nodes: { least: 2, most: 2 }, instanceTypes: ["p4de.24xlarge"] });
    assert.equal(chosen?.nodes, 4);
    assert.equal(fewer, undefined);
  });

  it("stay single for types of one GPU, for a server, and where a limit of price refuses a host", () => {
    assert.deepEqual(rungs({ gpuCount: 1 }), []);
    assert.deepEqual(rungs({ maxHourlyUsd: 1 }), []);
    assert.throws(
      () => rungs({ task: "serve", training: undefined, nodes: { least: 2, most: 2 } }),
      (error) =>
        error instanceof UserError && error.problems.join().includes("a server runs on one host"),
    );
    assert.throws(() => rungs({ nodes: { least: 4, most: 2 } }), /cannot be planned/);
  });

  it("take the groups of Megatron-LM that are asked for, and no others", () => {
    const training = { method: "full", tensorParallel: 4, pipelineParallel: 8 };
    const [chosen] = rungs({ training, nodes: { least: 8, most: 8 } });
    const { framework, tensorParallel, pipelineParallel, dataParallel } = chosen?.layout ?? {};
    assert.deepEqual(
      [framework, tensorParallel, pipelineParallel, dataParallel],
      ["megatron", 4, 8, 2],
    );
    const qlora = { method: "qlora", framework: "megatron" };
    assert.throws(
      () => rungs({ training: qlora }),
      (error) =>
        error instanceof UserError && error.problems.join().includes("qlora was asked for"),
    );
    const sizes = { method: "full", contextParallel: 3, expertParallel: 2 };
    assert.throws(
      () => rungs({ training: sizes }),
      (error) => error instanceof UserError && error.problems.length === 2,
    );
    const uneven = { method: "full", tensorParallel: 3, pipelineParallel: 7 };
    assert.throws(
      () => rungs({ training: uneven }),
      (error) => error instanceof UserError && error.problems.length === 2,
    );
    const wrong = { method: "full", framework: "hugging-face", tensorParallel: 4 };
    assert.throws(() => rungs({ training: wrong }), /cannot be planned/);
    assert.throws(() => rungs({ training: { framework: "horovod" } }), /cannot be planned/);
  });

  it("are said in words, in the arithmetic, in the document and on the page", () => {
    const report = makeReport({ ...base, gpuFamilies: ["p5"] }, catalogue);
    const text = reportLines(report).join("\n");
    assert.match(
      text,
      /^split {6}Megatron-LM: tensor \d x pipeline \d.* over 32 GPUs of 4 hosts; 16 sequences a step/m,
    );
    assert.match(
      text,
      /^hosts {6}4 x p5\.48xlarge in one cluster placement group, over EFA, 3,200 Gbps each/m,
    );
    assert.match(text, /^a step {5}.* the pipeline idle for/m);
    assert.match(explainLines(report).join("\n"), /idle pipeline: \(\d stages - 1\)/);
    planReportSchema.parse(JSON.parse(JSON.stringify(report)));
    const page = planPage(report);
    assert.match(page, /All 4 hosts are alike/);
    assert.match(page, /4 x p5\.48xlarge/);
  });
});

describe("Published trainings over many GPUs", () => {
  for (const { id, within, fits, seconds, range } of parallelResults(catalogue)) {
    it(`hold ${id}`, () => {
      assert.notEqual(within, false, `${seconds} s against ${range.low} to ${range.high}`);
      assert.notEqual(fits, false);
    });
  }
});
