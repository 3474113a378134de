import type { EndpointPlan } from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { serverlessLimits } from "../../../components/sagemaker-endpoint/serverless-limits.ts";
import { isEndpointPlan } from "../../../components/sagemaker-endpoint/stack-plan-text.ts";
import { weightsKey } from "../../../components/sagemaker-endpoint/weights-archive.ts";
import { UserError } from "../../../components/user-error.ts";
import type { EndpointSettings } from "../../../stacks/parse-settings.ts";
import type { Deployment } from "../../stack/deployment.ts";
import { accountOf } from "../account.ts";
import type { AccountScope } from "../account-scope.ts";
import { checkArchive } from "../archive-check.ts";
import { checkEndpointQuota } from "./endpoint-quota.ts";
import { checkImage, checkPinnedImage } from "../image-check.ts";
import { checkNetwork, type StackNetwork } from "./network-check.ts";
import { checkWeightsAccess } from "../weights-access.ts";
import { checkWeights } from "../weights-check.ts";

/**
 * Asks the account what an endpoint needs of it, before anything is made; nothing for other targets.
 *
 * @returns what could not be asked, a line each
 * @throws UserError with everything that lacks: room in the quota, files of the weights, the right to read them, the image, the network
 */
export async function checkEndpoint(deployment: Deployment): Promise<readonly string[]> {
  const { settings, plan, cloud } = deployment;
  if (settings.target !== "sagemaker" || !isEndpointPlan(plan)) return [];
  const scope = accountOf(settings.stack, settings.region, cloud);
  const beside = [...(settings.variants ?? []), ...(settings.shadow ? [settings.shadow] : [])];
  const images = [settings.imageUri, ...beside.map(({ imageUri }) => imageUri)];
  const mostGB = plan.endpoint.serverless === undefined ? undefined : serverlessLimits.imageGB;
  const { container, further } = plan.endpoint;
  const containers = [container, ...further.map((each) => each.container)];
  const pinned = new Map(containers.map((each) => [each.image, each]));
  return allOf([
    checkEndpointQuota(scope, plan),
    ...weightsOf(plan, settings).flatMap((each) => checksOf(scope, each)),
    ...networksOf(settings).map((network) => checkNetwork(scope, network)),
    ...images.map((image) => checkImage(scope, image, mostGB)),
    ...[...pinned.values()].map((each) => checkPinnedImage(scope, each)),
  ]);
}

function networksOf({ subnetIds, securityGroupIds }: EndpointSettings): readonly StackNetwork[] {
  if (subnetIds === undefined || securityGroupIds === undefined) return [];
  return [{ subnetIds, securityGroupIds }];
}

/**
 * The warnings of all checks, once every one of them has ended.
 *
 * @throws UserError the only one, or one that names all
 */
export async function allOf(
  checks: readonly Promise<string | readonly string[] | undefined>[],
): Promise<readonly string[]> {
  const ended = await Promise.allSettled(checks);
  const refusals = ended
    .map((each): unknown => (each.status === "rejected" ? each.reason : undefined))
    .filter((error) => error instanceof UserError);
  // What is no refusal is a mistake of ours, and thrown as it came.
  const mistake = ended.findIndex(
    (each) => each.status === "rejected" && !(each.reason instanceof UserError),
  );
  if (mistake >= 0) await checks[mistake];
  const [only, ...more] = refusals;
  if (only !== undefined && more.length === 0) throw only;
  if (only !== undefined) {
    throw new UserError("The account has not all that the endpoint needs.", {
      problems: refusals.flatMap(({ message, problems, hint = "" }) => [
        `${message} ${hint}`.trim(),
        ...problems,
      ]),
      cause: only,
    });
  }
  return ended.flatMap((each) => (each.status === "fulfilled" ? (each.value ?? []) : []));
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
