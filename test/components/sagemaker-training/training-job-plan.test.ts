import assert from "node:assert/strict";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { loadTrainingImages } from "../../../components/sagemaker-training/load-training-images.ts";
import {
  trainingJobPlan,
  type TrainedFolder,
  type TrainingWishes,
} from "../../../components/sagemaker-training/training-job-plan.ts";
import { trainingPlanLines } from "../../../components/sagemaker-training/training-text.ts";
import { UserError } from "../../../components/user-error.ts";

const ground = { catalogue: loadCatalogue(), images: loadTrainingImages() };
const folder: TrainedFolder = {
  ...{ name: "llama-3.1-8b", modelId: "llama-3.1-8b", instanceType: "g6e.xlarge" },
  ...{ gpuModel: "L40S", purchase: "spot", diskGiB: 110.2, sharding: "none" },
  ...{ megatron: false, nodes: 1 },
};
const wishes: TrainingWishes = { env: "dev", region: "us-east-1", hours: 8, maxAgeHours: 72 };

function problemsOf(change: Partial<TrainedFolder>, asked: Partial<TrainingWishes> = {}): string {
  try {
    trainingJobPlan({ ...folder, ...change }, { ...wishes, ...asked }, ground);
  } catch (error) {
    if (error instanceof UserError) return error.problems.join("\n");
    throw error;
  }
  return "";
}

describe("The plan of a training job", () => {
  it("is the folder's machine under SageMaker's name, with the most that it costs", () => {
    const plan = trainingJobPlan(folder, { ...wishes, instances: 2 }, ground);
    assert.equal(plan.stack, "dev-train-llama-3-1-8b");
    assert.deepEqual(plan.quotaNames, ["ml.g6e.xlarge for spot training job usage"]);
    assert.equal(plan.volumeGiB, 111);
    const row = ground.catalogue.sagemakerTypes.find(
      ({ instanceType }) => instanceType === "ml.g6e.xlarge",
    );
    const price = row?.prices?.["us-east-1"];
    assert.equal(plan.hourlyUsd, 2 * (price?.trainingHourlyUsd ?? price?.hostingHourlyUsd ?? 0));
    assert.match(
      trainingPlanLines(plan).join("\n"),
      /at most \$5\.21 an hour .*\$41\.69 in its 8 h/,
    );
    const warm = { spot: false, keepWarmMinutes: 20 };
    const names = trainingJobPlan(folder, { ...wishes, ...warm }, ground).quotaNames;
    assert.deepEqual(names, [
      "ml.g6e.xlarge for training job usage",
      "ml.g6e.xlarge for training warm pool usage",
    ]);
  });

  it("says what a key of the user's own encrypts: NVMe takes none", () => {
    const key = "arn:aws:kms:us-east-1:123456789012:key/k";
    const linesOf = (change: Partial<TrainedFolder>) => {
      const plan = trainingJobPlan({ ...folder, ...change }, wishes, ground);
      return { ...plan, text: trainingPlanLines(plan, key).join("\n") };
    };
    const nvme = linesOf({});
    assert.equal(nvme.localNvme, true);
    assert.match(
      nvme.text,
      /key\/k, of what SageMaker writes; the disk of ml\.g6e\.xlarge is NVMe/,
    );
    const volume = linesOf({ instanceType: "p3.2xlarge", gpuModel: "L40S" });
    assert.equal(volume.localNvme, false);
    assert.match(volume.text, /of what SageMaker writes and of the volume/);
  });

  it("says that a price is not known where none is", () => {
    const plan = trainingJobPlan(folder, { ...wishes, region: "eu-central-2" }, ground);
    assert.equal(plan.hourlyUsd, undefined);
    assert.match(trainingPlanLines(plan).join("\n"), /not known .*catalogue refresh/);
  });

  it("names everything that keeps it from running, at once", () => {
    const all = problemsOf(
      { name: "x".repeat(64), instanceType: "p6e-gb200.36xlarge" },
      { hours: 0.1, instances: 0, keepWarmMinutes: 90 },
    );
    for (const part of [/64 characters/, /trains on no ml\.p6e/, /--hours 0\.1/, /--instances 0/]) {
      assert.match(all, part);
    }
    assert.match(all, /--keep-warm 90/);
  });

  it("does not take what cannot be kept, computed, stored or paid", () => {
    const zero = problemsOf({ sharding: "zero-3" }, { instances: 2 });
    assert.match(zero, /a part of a checkpoint of zero-3; .*--shared-storage fsx:fs-/);
    assert.match(problemsOf({}, { keepWarmMinutes: 10 }), /spot capacity is not kept/);
    const old = { instanceType: "p3.2xlarge", gpuModel: "V100-SXM2-16GB" };
    assert.match(problemsOf(old), /CUDA 13\.0, which V100-SXM2-16GB is too old/);
    assert.equal(problemsOf(old, { image: "1.dkr.ecr.us-east-1.amazonaws.com/own:1" }), "");
    assert.match(problemsOf({ diskGiB: 2000 }), /has \d+ GiB of disk, and 2000 GiB/);
    assert.match(problemsOf({}, { budgetUsd: 5 }), /budgetUsd is \$5/);
    assert.match(problemsOf({}, { hours: undefined }), /how long it may run/);
  });

  it("takes as many instances as were planned, and storage for what each writes a part of", () => {
    const planned = trainingJobPlan({ ...folder, nodes: 2 }, wishes, ground);
    assert.equal(planned.instances, 2);
    assert.match(problemsOf({ nodes: 4 }, { instances: 2 }), /planned for 4; .*--nodes 2/);
    assert.equal(problemsOf({ nodes: 2 }, { instances: 3 }), "");
    const image = "1.dkr.ecr.us-east-1.amazonaws.com/nemo:1";
    const megatron = { megatron: true, nodes: 2 };
    const bare = problemsOf(megatron);
    assert.match(bare, /no Transformer Engine.*--image/);
    assert.match(bare, /a part of a checkpoint of Megatron-LM/);
    assert.match(problemsOf(megatron, { image, instances: 3 }), /planned for 2/);
    const sharedStorage = "fsx:fs-0123456789abcdef0:/mount/runs";
    assert.match(problemsOf(megatron, { image, sharedStorage }), /stack that has berth:subnetIds/);
    assert.equal(problemsOf(megatron, { image, sharedStorage, inVpc: true }), "");
    assert.equal(
      problemsOf({ sharding: "zero-3" }, { instances: 2, sharedStorage, inVpc: true }),
      "",
    );
    assert.match(
      problemsOf({}, { sharedStorage: "/fsx", inVpc: true }),
      /a file system such as fsx:/,
    );
  });

  it("knows no image in a region without a registry", () => {
    assert.throws(
      () => trainingJobPlan(folder, { ...wishes, region: "xx-nowhere-1" }, ground),
      /not known in xx-nowhere-1/,
    );
  });
});
