import type { EndpointPlan } from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { serverlessLimits } from "../../../components/sagemaker-endpoint/serverless-limits.ts";
import { isEndpointPlan } from "../../../components/sagemaker-endpoint/stack-plan-text.ts";
import { weightsKey } from "../../../components/sagemaker-endpoint/weights-archive.ts";
import type { EndpointSettings } from "../../../stacks/parse-settings.ts";
import type { Deployment } from "../../stack/deployment.ts";
import { accountOf } from "../account.ts";
import type { AccountScope } from "../account-scope.ts";
import { checkArchive } from "../archive-check.ts";
import { checkEndpointQuota } from "./endpoint-quota.ts";
import { checkImage } from "../image-check.ts";
import { checkWeightsAccess } from "../weights-access.ts";
import { checkWeights } from "../weights-check.ts";

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
  const beside = [...(settings.variants ?? []), ...(settings.shadow ? [settings.shadow] : [])];
  const images = [settings.imageUri, ...beside.map(({ imageUri }) => imageUri)];
  const mostGB = plan.endpoint.serverless === undefined ? undefined : serverlessLimits.imageGB;
  const [quota, ...found] = await Promise.all([
    checkEndpointQuota(scope, plan),
    ...weightsOf(plan, settings).flatMap((each) => checksOf(scope, each)),
    ...images.map((image) => checkImage(scope, image, mostGB)),
  ]);
  return [...quota, ...found.flatMap((warning) => warning ?? [])];
}

/** The weights of one model of an endpoint. */
interface ServedWeights {
  readonly engine: EndpointPlan["engine"];
  readonly bucket: string;
  readonly prefix: string;
  readonly weightsKmsKeyArn: string | undefined;
  /** Whether the prefix is the key of one archive. */
  readonly isArchive: boolean;
}

function weightsOf(plan: EndpointPlan, settings: EndpointSettings): readonly ServedWeights[] {
  const { weightsBucket: bucket, weightsKmsKeyArn } = settings;
  const isArchive = plan.endpoint.serverless !== undefined;
  const own = weightsKey(plan, settings);
  const further = plan.endpoint.further.map(({ engine, modelId, weightsPrefix }) => {
    const prefix = weightsPrefix ?? (modelId === plan.modelId ? own : `${modelId}/`);
    return { engine, bucket, prefix, weightsKmsKeyArn, isArchive };
  });
  return [{ engine: plan.engine, bucket, prefix: own, weightsKmsKeyArn, isArchive }, ...further];
}

function checksOf(
  scope: AccountScope,
  weights: ServedWeights,
): readonly Promise<string | readonly string[] | undefined>[] {
  const { engine, bucket, prefix, isArchive } = weights;
  return [
    isArchive
      ? checkArchive(scope, { bucket, key: prefix })
      : checkWeights(scope, engine, { bucket, prefix }),
    checkWeightsAccess(scope, weights),
  ];
}
