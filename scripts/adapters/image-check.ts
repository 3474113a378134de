import { DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { parseImageAddress, splitTag } from "../../components/container-images/image-address.ts";
import type { ImagePin, PinnedImage } from "../../components/container-images/image-digests.ts";
import { imagesFile } from "../../components/container-images/load-image-digests.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";
import { findDigests, type FoundDigests } from "./image-digests.ts";

/** Tag or digest at the end of an image's address. */
function imageIdOf(uri: string): { readonly imageDigest: string } | { readonly imageTag: string } {
  const [, imageDigest] = /@(sha256:[0-9a-f]{64})$/.exec(uri) ?? [];
  return imageDigest === undefined ? { imageTag: splitTag(uri).tag } : { imageDigest };
}

/** @throws UserError when it is larger than may be */
function checkSize(imageUri: string, bytes: number, mostGB: number): void {
  if (bytes <= mostGB * 1e9) return;
  throw new UserError(`${imageUri} has ${(bytes / 1e9).toFixed(1)} GB, compressed.`, {
    hint: `A serverless endpoint takes ${mostGB} GB at most: build a smaller image, or take another berth:endpointMode.`,
  });
}

/**
 * Holds an `up` whose own image is not in ECR, before anything is made.
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

function refresh(env: string, region: string): string {
  return `npm run berth -- catalogue refresh --env ${env} --region ${region}`;
}

/** What of a pinned image differs from what ECR has; a tag that moved changes nothing of what is deployed. */
function pinWarnings(
  image: string,
  { tagged, digestAsOf }: ImagePin,
  found: FoundDigests,
  { stack, region }: AccountScope,
): readonly string[] {
  const { tag: imageTag } = splitTag(tagged);
  const named = found({ imageTag });
  if (digestAsOf === undefined) {
    if (named !== undefined) return [];
    throw new UserError(`There is no image ${tagged}.`, {
      hint: "AWS has taken it away: bring berth up to date, or set berth:imageUri to one of your own.",
    });
  }
  if (found(imageIdOf(image)) === undefined) {
    throw new UserError(`There is no image ${image} any more, which ${tagged} was.`, {
      hint: `Read what that tag names now, then look at the plan again: ${refresh(stack, region)}`,
    });
  }
  if (image.endsWith(`@${named ?? ""}`)) return [];
  const now = named === undefined ? "is there no more" : `names ${named} now`;
  return [
    `${tagged} ${now}; what it was on ${digestAsOf}, by ${imagesFile}, is deployed. To take what it is: ${refresh(stack, region)}`,
  ];
}

/**
 * Holds an `up` whose image of AWS's is not there, by its digest where that is known, before anything is made.
 *
 * @returns a warning when the tag names another image than the one that is taken, or ECR would not say
 * @throws UserError naming the repository or the image that is missing
 */
export async function checkPinnedImage(
  scope: AccountScope,
  { image, pin }: PinnedImage,
): Promise<readonly string[]> {
  const address = parseImageAddress(image);
  if (pin === undefined || address === undefined) return [];
  const { tag: imageTag } = splitTag(pin.tagged);
  const ids = pin.digestAsOf === undefined ? [] : [imageIdOf(image)];
  try {
    const found = await findDigests(scope.client, address, [{ imageTag }, ...ids]);
    return pinWarnings(image, pin, found, scope);
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    if (error.name === "RepositoryNotFoundException") {
      throw new UserError(
        `AWS's registry ${address.account} has no "${address.repository}" in ${address.region}.`,
        {
          hint: "Take another aws:region, or set berth:imageUri to an image of your own.",
          cause: error,
        },
      );
    }
    return [
      `${image} could not be looked up (${error.message}); SageMaker will say whether it is there`,
    ];
  }
}
