import assert from "node:assert/strict";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { knownCards, parseNvidiaSmi, parseOwnGpus } from "../../../components/own-machine/card.ts";
import { makeReport } from "../../../components/plan-report/make-report.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "llama-2-7b",
  env: "dev",
  region: "us-east-1",
  spot: false,
  leaseHours: undefined,
};

describe("parseOwnGpus", () => {
  it("reads a card, its size, and how many there are", () => {
    const [only] = parseOwnGpus("RTX 3060 12GB");
    assert.deepEqual(only?.name, "RTX 3060 12GB");
    assert.equal(only.powerWatts, 170);
    assert.ok(only.usableMiB < 12 * 1024 && only.usableMiB > 11.5 * 1024);
    assert.equal(parseOwnGpus("2 x NVIDIA GeForce RTX 3090").length, 2);
    assert.equal(parseOwnGpus("rtx3090, RTX 4060 8GB").length, 2);
  });

  it("takes a card that it does not know by its memory", () => {
    const [own] = parseOwnGpus("My card 24GB");
    assert.equal(own?.powerWatts, undefined);
    assert.ok((own?.usableMiB ?? 0) > 23 * 1024);
  });

  it("refuses what has no CUDA, and takes the Tesla of a like name", () => {
    for (const name of ["Apple M3 Max 64GB", "m2 pro 32GB", "RX 7900 XTX 24GB", "MI300X 192GB"]) {
      assert.throws(
        () => parseOwnGpus(name),
        ({ problems }: UserError) => (problems[0] ?? "").includes("has no CUDA"),
      );
    }
    assert.equal(parseOwnGpus("Tesla M40 24GB, RTX A4000, My card 24GB").length, 3);
  });

  it("asks for what is missing, every part at once", () => {
    assert.throws(
      () => parseOwnGpus("my card, RTX 3080, 0 x RTX 3090, x 0GB"),
      (error) =>
        error instanceof UserError &&
        error.problems.length === 4 &&
        (error.problems[0] ?? "").includes('write its memory behind the name: "my card 24GB"') &&
        (error.problems[1] ?? "").includes("comes with 10 or 12 GB; write which"),
    );
  });
});

describe("parseNvidiaSmi", () => {
  it("takes off what other programs hold", () => {
    const [gpu] = parseNvidiaSmi("NVIDIA GeForce RTX 3090, 24576, 23552\n");
    assert.equal(gpu?.usableMiB, 23_552);
    assert.equal(gpu.powerWatts, 350);
  });

  it("counts what an H100 of driver 580.159.04 had free", () => {
    const [gpu] = parseNvidiaSmi("NVIDIA H100 80GB HBM3, 81559, 81079\n");
    assert.equal(gpu?.usableMiB, 81_079);
    assert.equal(gpu.name, "NVIDIA H100 80GB HBM3");
  });

  it("refuses an answer without a GPU", () => {
    assert.throws(() => parseNvidiaSmi("No devices were found\n"), /lists no GPU/);
  });
});

describe("judgeOwnMachine", () => {
  const own = (gpus: string, change: Partial<PlanRequest> = {}) =>
    makeReport({ ...base, ...change }, catalogue, {
      gpus: parseOwnGpus(gpus),
      electricityUsdPerKwh: 0.2,
    });

  it("says that it fits, and what an hour of electricity costs", () => {
    const made = own("RTX 3090").own;
    assert.equal(made?.fits, true);
    assert.equal(made.electricityHourlyUsd, 0.35 * 0.2);
    assert.equal(made.buying, undefined);
  });

  it("names what to change, what to rent and what to buy when it does not fit", () => {
    const { own: made, saving, ladder } = own("RTX 3060 12GB");
    assert.equal(made?.fits, false);
    const last = saving?.rungs.at(-1);
    assert.equal(last?.fits, true);
    assert.match(last.change, /8 bit|4 bit/);
    const { buying } = made;
    assert.ok(buying !== undefined && ladder[0] !== undefined);
    const card = knownCards().find(({ name }) => name === buying.name);
    const electricity = ((card?.powerWatts ?? 0) / 1000) * buying.count * 0.2;
    const expected = buying.listPriceUsd / (ladder[0].hourly.totalUsd - electricity);
    assert.ok(Math.abs((buying.breakEvenHours ?? 0) - expected) < 1e-6);
  });

  it("counts no card for which the engine has no code, nor names one to buy", () => {
    const { own: made, saving } = own("GTX 1080 Ti", { precision: "int4" });
    assert.equal(made?.fits, false);
    assert.match(made.reason, /vllm has no code for GTX 1080 Ti 11GB \(compute capability 6\.1\)/);
    assert.equal(saving, undefined, "less memory would not help");
    assert.doesNotMatch(made.buying?.name ?? "", /GTX 1[06]/);
    assert.equal(own("RTX 2080 Ti", { precision: "int4" }).own?.fits, true);
  });

  it("tries the steps of a training that is too large, in order", () => {
    const { saving } = own("RTX 3060 12GB", {
      task: "finetune",
      training: { method: "full", microBatch: 4, gradientCheckpointing: false },
    });
    const names = saving?.rungs.map(({ name }) => name) ?? [];
    assert.deepEqual(names.slice(0, 3), ["as-asked", "gradient-checkpointing", "16-bit"]);
    assert.ok((saving?.rungs[1]?.savesMiB ?? 0) > 0);
  });
});
