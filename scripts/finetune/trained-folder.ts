import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { TrainedFolder } from "../../components/sagemaker-training/training-job-plan.ts";
import { UserError } from "../../components/user-error.ts";
import type { JobFolder } from "./host-job.ts";

/** What of job.json a job of SageMaker is planned from. */
const plannedSchema = z.looseObject({
  machine: z.looseObject({
    instanceType: z.string(),
    gpuModel: z.string(),
    purchase: z.string(),
  }),
  rootVolumeGiB: z.number(),
  workload: z.looseObject({ sharding: z.string().default("none") }),
});

/**
 * What a job of SageMaker is planned from.
 *
 * @throws UserError when job.json does not say it, or Megatron-LM trains it
 */
export function trainedFolder(job: JobFolder): TrainedFolder {
  if (job.megatron) {
    throw new UserError(
      `${job.folder} is a training by Megatron-LM, and AWS's training image has no Transformer Engine.`,
      {
        hint: "Train it on a GPU host, with --target ec2; or plan it with --framework hugging-face.",
      },
    );
  }
  const facts: unknown = JSON.parse(readFileSync(join(job.folder, "job.json"), "utf8"));
  const { data, error } = plannedSchema.safeParse(facts);
  if (data === undefined) {
    throw new UserError(`${job.folder}/job.json does not say what the job needs.`, {
      problems: [z.prettifyError(error)],
      hint: "Write the folder again with --force.",
    });
  }
  const { instanceType, gpuModel, purchase } = data.machine;
  const { sharding } = data.workload;
  const { name, modelId } = job;
  return {
    ...{ name, modelId, instanceType, gpuModel, purchase, sharding },
    diskGiB: data.rootVolumeGiB,
  };
}
