import { DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { parseImageAddress } from "../../components/sagemaker-endpoint/serving-container.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

/** Tag or digest at the end of an image's address. */
function imageIdOf(uri: string): { readonly imageDigest: string } | { readonly imageTag: string } {
  const [, imageDigest] = /@(sha256:[0-9a-f]{64})$/.exec(uri) ?? [];
  return imageDigest === undefined
    ? { imageTag: uri.slice(uri.lastIndexOf(":") + 1) }
    : { imageDigest };
}

/** @throws UserError when it is larger than may be */
function checkSize(imageUri: string, bytes: number, mostGB: number): void {
  if (bytes <= mostGB * 1e9) return;
  throw new UserError(`${imageUri} has ${(bytes / 1e9).toFixed(1)} GB, compressed.`, {
    hint: `A serverless endpoint takes ${mostGB} GB at most: build a smaller image, or take another berth:endpointMode.`,
  });
}

/**
 * Holds an `up` whose image is not in ECR, before anything is made. AWS's own images are pinned by a table, and not asked for.
 *
 * @param mostGB what it may have at most; ECR counts it compressed, so that one above this has more still
 * @returns a warning when ECR would not say
 * @throws UserError naming the repository or the image that is missing
 */
export async function checkImage(
  scope: AccountScope,
  imageUri: string | undefined,
  mostGB = Infinity,
): Promise<readonly string[]> {
  const address = imageUri === undefined ? undefined : parseImageAddress(imageUri);
  if (imageUri === undefined || address === undefined) return [];
  const { account: registryId, repository: repositoryName } = address;
  const client = new ECRClient({ ...scope.client, region: address.region, maxAttempts: 2 });
  try {
    const imageIds = [imageIdOf(imageUri)];
    const { imageDetails = [] } = await client.send(
      new DescribeImagesCommand({ registryId, repositoryName, imageIds }),
    );
    checkSize(imageUri, imageDetails[0]?.imageSizeInBytes ?? 0, mostGB);
    return [];
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    const missing = {
      RepositoryNotFoundException: `There is no repository "${repositoryName}" in ECR of ${registryId} in ${address.region}.`,
      ImageNotFoundException: `There is no image ${imageUri}.`,
    }[error.name];
    if (missing === undefined) {
      return [
        `${imageUri} could not be looked up (${error.message}); SageMaker will say whether it is there`,
      ];
    }
    throw new UserError(missing, {
      hint: "Push it there, or correct berth:imageUri; without one AWS's image of the engine is taken.",
      cause: error,
    });
  } finally {
    client.destroy();
  }
}
