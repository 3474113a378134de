import { UserError } from "../../components/user-error.ts";
import { checkpointsPlace } from "../../stacks/checkpoints.ts";
import type { EndpointSettings, HostSettings, Settings } from "../../stacks/parse-settings.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { checkWeightsAccess } from "../adapters/weights-access.ts";
import { listNames, missingFiles } from "../adapters/weights-check.ts";
import type { JobFolder } from "./host-job.ts";
import type { KeptPlace } from "./kept-checkpoints.ts";

/** The prefix of trainings on SageMaker unless the stack's file says another. */
const usualPrefix = "training/";

/**
 * The settings of an environment that a job of SageMaker can be started for.
 *
 * @throws UserError for a machine that is there already
 */
export function accountSettings(settings: Settings): HostSettings | EndpointSettings {
  if (settings.target !== "existing-host") return settings;
  throw new UserError(`"${settings.stack}" is a machine of your own, and no account of AWS.`, {
    hint: "Train on it without --target, or name another stack with --env.",
  });
}

function optional(settings: HostSettings | EndpointSettings) {
  return settings.target === "ec2"
    ? settings
    : { ...settings, checkpointsBucket: undefined, checkpointsPrefix: undefined };
}

/**
 * Where a job's folder, its checkpoints and its result are in S3: where a host of the same stack keeps them too, so that either
 * goes on from the other's.
 *
 * @throws UserError when no bucket is known that stays
 */
export function trainingPlace(
  settings: HostSettings | EndpointSettings,
  job: Pick<JobFolder, "name" | "modelId">,
): KeptPlace {
  const asked = optional(settings);
  const checkpointsPrefix = asked.checkpointsPrefix ?? usualPrefix;
  const place = checkpointsPlace({ ...asked, checkpointsPrefix }, job.modelId);
  const bucket = place?.bucket ?? settings.weightsBucket;
  if (place === undefined || bucket === undefined) {
    throw new UserError(
      `"${settings.stack}" names no bucket that a training could keep its files in.`,
      {
        hint: "Set berth:checkpointsBucket to one of yours, or make one with the model's weights: npm run berth -- push",
      },
    );
  }
  const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
  const prefix = `${place.prefix}${job.name}/`;
  return { bucket, prefix, region: settings.region, endpoint, goesWithStack: false };
}

/** Where a job has its base model from. */
export interface BaseSource {
  /** In S3; undefined means from Hugging Face. */
  readonly uri: string | undefined;
  readonly warnings: readonly string[];
}

/**
 * The base model's files in the stack's bucket where they are all there, else its repository at Hugging Face.
 *
 * @throws UserError when neither can be read: a folder of this machine, or a gated model, whose token would be in the job's
 *   description for everybody to read
 */
export async function baseSource(
  scope: AccountScope,
  settings: HostSettings | EndpointSettings,
  job: JobFolder,
): Promise<BaseSource> {
  const { weightsBucket: bucket, weightsPrefix: prefix = `${job.modelId}/` } = settings;
  if (bucket !== undefined && settings.model === job.modelId) {
    const names = await listNames(scope, { bucket, prefix });
    if (names.length > 0 && missingFiles("vllm", names).length === 0) {
      const warnings = await checkWeightsAccess(scope, {
        ...{ bucket, prefix },
        weightsKmsKeyArn: settings.target === "sagemaker" ? settings.weightsKmsKeyArn : undefined,
      });
      return { uri: `s3://${bucket}/${prefix}`, warnings };
    }
  }
  const push = `Push its weights first, with this stack's model set to it: npm run berth -- push hf:${job.baseModel} --env ${settings.stack}`;
  if (job.baseModel.startsWith("/") || job.baseModel.startsWith(".")) {
    throw new UserError(
      `The model is in ${job.baseModel} of this machine, where no job can read it.`,
      {
        hint: push.replace("hf:", ""),
      },
    );
  }
  if (job.gated) {
    throw new UserError(`${job.baseModel} is gated, and a job of SageMaker gets no token.`, {
      hint: push,
    });
  }
  return { uri: undefined, warnings: [] };
}
