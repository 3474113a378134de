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
    nodes: z.int().positive().default(1),
  }),
  rootVolumeGiB: z.number(),
  workload: z.looseObject({ sharding: z.string().default("none") }),
});

/**
 * What a job of SageMaker is planned from.
 *
 * @throws UserError when job.json does not say it
 */
export function trainedFolder(job: JobFolder): TrainedFolder {
  const facts: unknown = JSON.parse(readFileSync(join(job.folder, "job.json"), "utf8"));
  const { data, error } = plannedSchema.safeParse(facts);
  if (data === undefined) {
    throw new UserError(`${job.folder}/job.json does not say what the job needs.`, {
      problems: [z.prettifyError(error)],
      hint: "Write the folder again with --force.",
    });
  }
  const { instanceType, gpuModel, purchase, nodes } = data.machine;
  const { sharding } = data.workload;
  const { name, modelId, megatron } = job;
  return {
    ...{ name, modelId, instanceType, gpuModel, purchase, sharding, megatron, nodes },
    diskGiB: data.rootVolumeGiB,
  };
}
