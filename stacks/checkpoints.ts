import { UserError } from "../components/user-error.ts";
import type { HostSettings } from "./parse-settings.ts";

/** Where trainings of a stack keep their checkpoints. */
export interface CheckpointsPlace {
  /** undefined is the bucket of the weights. */
  readonly bucket: string | undefined;
  /** Ends with a slash. */
  readonly prefix: string;
}

type Asked = Pick<
  HostSettings,
  "checkpointsBucket" | "checkpointsPrefix" | "weightsBucket" | "weightsPrefix"
>;

/**
 * Where checkpoints are kept; undefined when no prefix is asked for.
 *
 * @throws UserError when they would be taken for weights, or only a bucket is given
 */
export function checkpointsPlace(settings: Asked, modelId: string): CheckpointsPlace | undefined {
  const { checkpointsBucket: bucket, checkpointsPrefix, weightsBucket } = settings;
  if (checkpointsPrefix === undefined) {
    if (bucket === undefined) return undefined;
    throw new UserError("berth:checkpointsBucket says where, and not below which prefix.", {
      hint: "Set berth:checkpointsPrefix too, such as training/.",
    });
  }
  const prefix = `${checkpointsPrefix}checkpoints/`;
  const weights = settings.weightsPrefix ?? `${modelId}/`;
  if ((bucket ?? weightsBucket) === weightsBucket && prefix.startsWith(weights)) {
    throw new UserError(`The checkpoints in ${prefix} would be taken for weights.`, {
      problems: [`the weights are all that is below ${weights === "" ? "the bucket" : weights}`],
      hint: "Set berth:checkpointsPrefix to another, such as training/.",
    });
  }
  return { bucket, prefix };
}
