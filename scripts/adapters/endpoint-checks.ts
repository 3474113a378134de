import { isEndpointPlan } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import type { Deployment } from "../deployment.ts";
import { accountOf } from "./account.ts";
import { checkEndpointQuota } from "./endpoint-quota.ts";
import { checkImage } from "./image-check.ts";
import { checkWeightsAccess } from "./weights-access.ts";
import { checkWeights } from "./weights-check.ts";

/**
 * Asks the account what an endpoint needs of it, before anything is made; nothing for other targets.
 *
 * @returns what could not be asked, a line each
 * @throws UserError when the quota has no room, the weights are not all there or may not be read, or the image is not there
 */
export async function checkEndpoint(deployment: Deployment): Promise<readonly string[]> {
  const { settings, plan, cloud } = deployment;
  if (settings.target !== "sagemaker" || !isEndpointPlan(plan)) return [];
  const scope = accountOf(settings.stack, settings.region, cloud);
  const { weightsBucket: bucket, weightsPrefix: prefix = `${plan.modelId}/` } = settings;
  const { weightsKmsKeyArn } = settings;
  const own = { modelId: plan.modelId, engine: plan.engine, weightsPrefix: prefix };
  const served = [own, ...plan.endpoint.further];
  const prefixOf = ({ modelId, weightsPrefix }: (typeof served)[number]) =>
    weightsPrefix ?? (modelId === plan.modelId ? prefix : `${modelId}/`);
  const images = [settings.imageUri, ...(settings.variants ?? []).map(({ imageUri }) => imageUri)];
  const [quota, ...found] = await Promise.all([
    checkEndpointQuota(scope, plan),
    ...served.map((each) => checkWeights(scope, each.engine, { bucket, prefix: prefixOf(each) })),
    ...served.map((each) =>
      checkWeightsAccess(scope, { bucket, prefix: prefixOf(each), weightsKmsKeyArn }),
    ),
    ...images.map((image) => checkImage(scope, image)),
  ]);
  return [...quota, ...found.flatMap((warning) => warning ?? [])];
}
