import assert from "node:assert/strict";
import fc from "fast-check";
import type { Catalogue } from "../../../components/catalogue/catalogue.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import type { Rung } from "../../../components/plan-report/report.ts";
import { decide } from "../../../components/sizing/decide.ts";
import { diskDemand } from "../../../components/sizing/disk-demand.ts";
import { makePlan } from "../../../components/sizing/make-plan.ts";
import type { PlanRequest } from "../../../components/sizing/plan-request.ts";
import { UserError } from "../../../components/user-error.ts";

const catalogue = loadCatalogue();
const base: PlanRequest = {
  model: "qwen2.5-7b",
  env: "dev",
  region: "us-east-1",
  spot: false,
  leaseHours: undefined,
};

/** The ladder, empty too when the model cannot be sized. */
function ladder(change: Partial<PlanRequest>, tables: Catalogue = catalogue): readonly Rung[] {
  return decide({ ...base, ...change }, tables).ladder;
}

const textModels = catalogue.models.filter(({ task }) => task !== "image-generation");
const anyModel = fc.constantFrom(...textModels.map(({ id }) => id));
const priceOf = (rung: Rung | undefined): number => rung?.hourly.totalUsd ?? Infinity;

/** Every limit that a request may have, each alone or with others. */
const anyLimit = fc.record(
  {
    maxHourlyUsd: fc.double({ min: 0.3, max: 100, noNaN: true }),
    budgetUsd: fc.double({ min: 100, max: 60_000, noNaN: true }),
    gpuFamilies: fc.constantFrom(["L4"], ["A10G", "L40S"], ["g6"], ["p5", "p4d"]),
    interconnect: fc.constantFrom("nvlink", "efa"),
    gpuCount: fc.constantFrom(1, 2, 4, 8),
    quotaVcpus: fc.constantFrom({ g: 8 }, { g: 0 }, { p: 0 }, { g: 192, p: 96 }),
    cpuArchitecture: fc.constant("x86_64"),
  },
  { requiredKeys: [] },
);

describe("decide", () => {
  it("ranks by the price of an hour, and says the parts of it", () => {
    const [first, second] = ladder({});
    assert.equal(first?.instanceType, "g6.xlarge");
    const { instanceUsd, volumeUsd, publicIpv4Usd, totalUsd } = first.hourly;
    assert.ok(Math.abs(instanceUsd + volumeUsd + publicIpv4Usd - totalUsd) < 1e-4);
    assert.ok(priceOf(second) >= totalUsd);
    assert.equal(first.sagemaker?.instanceType, "ml.g6.xlarge");
    assert.ok((first.sagemaker.breakEvenHoursAMonth ?? 0) < 730);
  });

  it("ranks a training by the price of the job, so that a dearer and faster machine may win", () => {
    const rungs = ladder({ task: "finetune", training: { method: "lora" } });
    const middles = rungs.map(({ jobUsd }) => Math.sqrt((jobUsd?.low ?? 0) * (jobUsd?.high ?? 0)));
    assert.deepEqual(
      middles,
      middles.toSorted((a, b) => a - b),
    );
    assert.ok(rungs.length > 1);
  });

  it("compares regions, and keeps the order of them where prices are equal", () => {
    const rungs = ladder({ otherRegions: ["us-west-2", "eu-west-1"] });
    assert.deepEqual([rungs[0]?.region, rungs[1]?.region], ["us-east-1", "us-west-2"]);
    assert.equal(rungs[0]?.instanceType, rungs[1]?.instanceType);
  });

  it("gives a volume that holds the disk's demand, in tens of GiB", () => {
    for (const model of textModels.filter(({ weightsGiB }) => weightsGiB !== undefined)) {
      const { rootVolumeGiB } = decide({ ...base, model: model.id }, catalogue);
      const spareGiB = rootVolumeGiB - diskDemand(model, "serve").totalGiB;
      assert.ok(rootVolumeGiB % 10 === 0 && spareGiB >= 0 && spareGiB < 10, model.id);
    }
  });

  it("tries no type on spot whose price may rise to more than twice the cheapest one's", () => {
    const priced = (onDemandHourlyUsd: number, spotHourlyUsd: number) => ({
      prices: { "us-east-1": { onDemandHourlyUsd, spotHourlyUsd, asOf: "2026-11-01" } },
    });
    const rows: Readonly<Record<string, object>> = {
      "g6.xlarge": priced(0.8, 0.4),
      "g6.2xlarge": priced(1.2, 0.3),
      "g6.4xlarge": priced(5, 0.1),
    };
    const instanceTypes = catalogue.instanceTypes.map((type) => ({
      ...type,
      ...rows[type.instanceType],
    }));
    const wish = { spot: true, instanceTypes: Object.keys(rows) };
    const types = ladder(wish, { ...catalogue, instanceTypes }).map((rung) => rung.instanceType);
    assert.deepEqual(types, ["g6.2xlarge", "g6.xlarge"]);
  });

  it("names the limit that a type breaks", () => {
    const { rejected } = decide(
      { ...base, maxHourlyUsd: 0.9, quotaVcpus: { g: 8, p: 0 }, interconnect: "any" },
      catalogue,
    );
    const reasonOf = (type: string) =>
      rejected.find(({ instanceType }) => instanceType === type)?.reason ?? "";
    assert.match(reasonOf("g5.xlarge"), /above the limit of \$0\.9/);
    assert.match(reasonOf("g6.4xlarge"), /16 vCPUs, and the quota for G types is 8/);
    assert.match(reasonOf("p5.4xlarge"), /quota for P types is 0/);
    assert.match(reasonOf("p5e.48xlarge"), /Capacity Blocks/);
  });

  it("puts every type of every region on the ladder or names why not", () => {
    const decision = decide({ ...base, otherRegions: ["eu-west-1"] }, catalogue);
    const all = decision.ladder.length + decision.rejected.length;
    assert.equal(all, catalogue.instanceTypes.length * 2);
    const prices = decision.rejected.map(({ hourlyUsd }) => hourlyUsd ?? Infinity);
    assert.deepEqual(
      prices,
      prices.toSorted((a, b) => (a === b ? 0 : a - b)),
    );
  });

  describe("of spot and on demand", () => {
    const both = { spot: true, onDemandAfterSpot: true } as const;
    const kinds = (rungs: readonly Rung[]) => [...new Set(rungs.map(({ purchase }) => purchase))];

    it("has a ladder of each, in the order of the markets, and no type among the refused that one has", () => {
      const { ladder: rungs, rejected } = decide({ ...base, ...both }, catalogue);
      assert.deepEqual(kinds(rungs), ["spot", "on-demand"]);
      const spot = ladder({ spot: true }).map(({ instanceType }) => instanceType);
      const names = rungs.map(({ instanceType }) => instanceType);
      assert.deepEqual(names, [...spot, ...ladder({}).map(({ instanceType }) => instanceType)]);
      assert.ok(rejected.every(({ instanceType }) => !names.includes(instanceType)));
      assert.equal(new Set(names).size + rejected.length, catalogue.instanceTypes.length);
    });

    /** The catalogue with a spot price of every type, of which one is the lowest. */
    const priced = (cheapest: string, share: number): Catalogue => ({
      ...catalogue,
      instanceTypes: catalogue.instanceTypes.map((type) => {
        const price = type.prices?.["us-east-1"];
        if (price === undefined) return type;
        const part = type.instanceType === cheapest ? share : 0.9;
        const spotHourlyUsd = price.onDemandHourlyUsd * part;
        return { ...type, prices: { ...type.prices, "us-east-1": { ...price, spotHourlyUsd } } };
      }),
    });

    it("ranks by spot prices where all are known, and by the most that can be paid where one is not", () => {
      const all = priced("g5.xlarge", 0.2);
      assert.equal(ladder({ spot: true }, all)[0]?.instanceType, "g5.xlarge");
      const gap = {
        ...all,
        instanceTypes: all.instanceTypes.map((type) =>
          type.instanceType === "g6.xlarge"
            ? {
                ...type,
                prices: catalogue.instanceTypes.find(
                  ({ instanceType }) => instanceType === "g6.xlarge",
                )?.prices,
              }
            : type,
        ),
      };
      assert.equal(ladder({ spot: true }, gap)[0]?.instanceType, "g6.xlarge");
    });

    it("pays no more on spot than it may, and leaves out what is dearer already", () => {
      const [first] = ladder({ spot: true, spotMaxHourlyUsd: 0.5 });
      assert.deepEqual([first?.hourlyUsd, first?.spotMaxHourlyUsd], [0.5, 0.5]);
      const [cheapest] = ladder({ spot: false });
      assert.equal(
        first?.instanceType,
        cheapest?.instanceType,
        "not the largest for the same limit",
      );
      const [onDemand] = ladder({ ...both, spotMaxHourlyUsd: 0.5 }).filter(
        ({ purchase }) => purchase === "on-demand",
      );
      assert.ok((onDemand?.hourlyUsd ?? 0) > 0.5);
      assert.equal(onDemand?.spotMaxHourlyUsd, undefined);
      const { rejected } = decide(
        { ...base, spot: true, spotMaxHourlyUsd: 0.5 },
        priced("g5.xlarge", 0.2),
      );
      const g6 = rejected.find(({ instanceType }) => instanceType === "g6.xlarge");
      assert.match(g6?.reason ?? "", /spot was \$0\.\d+, above the most that is paid, \$0\.5/);
    });

    it("says of each region's rungs the zones that lie in it, and refuses others", () => {
      const zones = ["us-east-1b", "eu-west-1a", "us-east-1a"];
      const rungs = ladder({ zones, otherRegions: ["eu-west-1"] });
      const [here, there] = ["us-east-1", "eu-west-1"].map((region) =>
        rungs.find((rung) => rung.region === region),
      );
      assert.deepEqual(here?.zones, ["us-east-1b", "us-east-1a"]);
      assert.deepEqual(there?.zones, ["eu-west-1a"]);
      assert.throws(
        () => ladder({ zones: ["us-west-2a"] }),
        (error: unknown) =>
          error instanceof UserError && error.problems.join().includes("us-west-2a"),
      );
    });
  });

  it("plans Capacity Blocks, whose days are paid whole, and types that are sold in no other way", () => {
    const asked = { capacityBlock: true, region: "us-west-2" } as const;
    const [onlyThere] = ladder({ ...asked, instanceTypes: ["p5e.48xlarge"] });
    assert.deepEqual([onlyThere?.purchase, onlyThere?.hourlyUsd], ["capacity-block", 39.799]);
    const [first] = ladder(asked);
    assert.equal(first?.instanceType, "p5.4xlarge");
    // 25 hours are two days.
    const day = 24 * priceOf(first);
    assert.equal(ladder({ ...asked, leaseHours: 25, budgetUsd: day * 1.5 }).length, 0);
    assert.ok(ladder({ ...asked, leaseHours: 24, budgetUsd: day * 1.5 }).length > 0);
    assert.throws(() => makePlan({ ...base, ...asked }, catalogue), /not deployed/);
  });

  it("has rungs of up to twice the best price, six at most", () => {
    for (const model of ["qwen2.5-7b", "llama-2-70b", "qwen2.5-0.5b"]) {
      const { ladder: rungs, rejected } = decide({ ...base, model }, catalogue);
      const limit = priceOf(rungs[0]) * 2;
      assert.ok(rungs.length > 0 && rungs.length <= 6, model);
      assert.ok(
        rungs.every((rung) => priceOf(rung) <= limit),
        model,
      );
      const dearer = rejected.filter(({ kind }) => kind === "dearer");
      // What is left out is above the limit, or the ladder was full.
      if (rungs.length < 6) {
        assert.ok(
          dearer.every(({ hourlyUsd = 0 }) => hourlyUsd > limit - 0.1),
          model,
        );
      } else {
        const last = priceOf(rungs.at(-1));
        assert.ok(
          dearer.every(({ hourlyUsd = 0 }) => hourlyUsd > last - 0.1),
          model,
        );
      }
    }
  });

  it("takes room to spare before a lower price, and names the tight ones", () => {
    const decision = decide({ ...base, model: "llama-2-7b", concurrency: 8 }, catalogue);
    assert.equal(decision.ladder[0]?.instanceType, "g6e.xlarge");
    const tight = decision.rejected.find(({ instanceType }) => instanceType === "g6.xlarge");
    assert.equal(tight?.kind, "tight");
  });

  it("holds the lease, the month or the job to the budget", () => {
    const leased = ladder({ leaseHours: 10, budgetUsd: 10 });
    assert.ok(leased.length > 1 && leased.every(({ hourly }) => hourly.totalUsd * 10 <= 10));
    assert.ok(ladder({ leaseHours: 10 }).some(({ hourly }) => hourly.totalUsd * 10 > 10));
    const monthly = ladder({ budgetUsd: 700, monthlyHours: 730 });
    assert.ok(monthly.length > 0 && monthly.every(({ monthlyUsd }) => monthlyUsd <= 700));
    assert.ok(ladder({ budgetUsd: 700, monthlyHours: 200 }).length > monthly.length);
    const asked = { task: "finetune", training: { method: "qlora" } } as const;
    const [cheapest] = ladder(asked);
    const limit = cheapest?.jobUsd?.high ?? 0;
    assert.ok(limit > 0);
    const jobs = ladder({ ...asked, budgetUsd: limit });
    assert.ok(jobs.length > 0 && jobs.every(({ jobUsd }) => (jobUsd?.high ?? Infinity) <= limit));
    const { ladder: none, rejected } = decide({ ...base, ...asked, budgetUsd: 0.01 }, catalogue);
    assert.equal(none.length, 0);
    assert.ok(
      rejected.some(({ reason }) => /the job may cost .* above the budget of \$0\.01/.test(reason)),
    );
  });

  it("keeps to types that an endpoint may have, and to leases that there are", () => {
    const rungs = ladder({ sagemakerOnly: true });
    assert.ok(rungs.length > 1 && rungs.every(({ sagemaker }) => sagemaker !== undefined));
    assert.ok(ladder({}).some(({ sagemaker }) => sagemaker === undefined));
    assert.throws(
      () => ladder({ leaseHours: 721 }),
      (error) => error instanceof UserError && error.problems.join().includes("above 720"),
    );
  });

  it("refuses fp8 weights on a GPU that has no kernels for them", () => {
    const { rejected } = decide({ ...base, precision: "fp8" }, catalogue);
    const t4 = rejected.find(({ instanceType }) => instanceType === "g4dn.xlarge");
    assert.match(t4?.reason ?? "", /compute capability 8\.0, and it has 7\.5/);
  });
});

describe("decide's properties", () => {
  it("never gets cheaper, and never holds a smaller memory, with more to hold", () => {
    const many = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(anyModel, many, many, (model, concurrency, more) => {
        const few = ladder({ model, concurrency })[0];
        const most = ladder({ model, concurrency: concurrency + more })[0];
        if (few === undefined) assert.equal(most, undefined);
        if (few === undefined || most === undefined) return;
        // A comfortable placement may become one that only starts; within one verdict the price does not fall.
        if (few.comfortable === most.comfortable) assert.ok(priceOf(most) >= priceOf(few));
        const memoryMiB = ({ gpuMemoryMiB, gpuCount }: Rung) => gpuMemoryMiB * gpuCount;
        assert.ok(memoryMiB(most) >= memoryMiB(few) * 0.999);
      }),
      { numRuns: 40 },
    );
  });

  it("never gets cheaper by a stricter limit at the same verdict, nor comfortable where it was not", () => {
    fc.assert(
      fc.property(anyModel, anyLimit, (model, limit) => {
        const free = ladder({ model })[0];
        const bound = ladder({ model, ...limit })[0];
        if (bound === undefined) return;
        assert.ok(free !== undefined);
        if (bound.comfortable) assert.ok(free.comfortable);
        if (bound.comfortable === free.comfortable) assert.ok(priceOf(bound) >= priceOf(free));
      }),
      { numRuns: 60 },
    );
  });

  it("keeps a type on the ladder when it becomes cheaper", () => {
    fc.assert(
      fc.property(
        anyModel,
        fc.nat(5),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (model, index, factor) => {
          const rung = ladder({ model })[index];
          if (rung === undefined) return;
          const cheaper: Catalogue = {
            ...catalogue,
            instanceTypes: catalogue.instanceTypes.map((type) => {
              const price = type.prices?.["us-east-1"];
              if (type.instanceType !== rung.instanceType || price === undefined) return type;
              const lower = { ...price, onDemandHourlyUsd: price.onDemandHourlyUsd * factor };
              return { ...type, prices: { ...type.prices, "us-east-1": lower } };
            }),
          };
          const types = ladder({ model }, cheaper).map(({ instanceType }) => instanceType);
          assert.ok(types.includes(rung.instanceType), rung.instanceType);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("answers for every model and task, or says as a user's error why not", () => {
    for (const { id } of catalogue.models) {
      for (const task of ["serve", "finetune", "train"] as const) {
        try {
          const { ladder: rungs, rejected } = decide({ ...base, model: id, task }, catalogue);
          assert.equal(rungs.length + rejected.length, catalogue.instanceTypes.length, id);
        } catch (error) {
          assert.ok(error instanceof UserError, `${id} ${task}: ${String(error)}`);
        }
      }
    }
  });

  it("names every wrong number and name at once, whatever they are", () => {
    const wrong = fc.constantFrom(-1, 0, NaN, Infinity, 1.5);
    fc.assert(
      fc.property(wrong, wrong, (contextTokens, gpuCount) => {
        const asked = {
          contextTokens,
          gpuCount,
          region: "mars",
          budgetUsd: NaN,
          task: "serve",
        } as const;
        assert.throws(
          () => ladder(asked),
          (error) =>
            error instanceof UserError &&
            ["context:", "gpuCount:", "region:", "budgetUsd:"].every((place) =>
              error.problems.some((problem) => problem.startsWith(place)),
            ),
        );
      }),
    );
  });
});
