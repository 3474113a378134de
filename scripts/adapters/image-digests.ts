import { BatchGetImageCommand, ECRClient, type ImageIdentifier } from "@aws-sdk/client-ecr";
import { parseImageAddress, splitTag } from "../../components/container-images/image-address.ts";
import type { DigestAnswer } from "../../components/container-images/image-digests.ts";
import type { ClientSettings } from "./account-scope.ts";

/** What a tag or a digest of a repository names now; undefined where there is no such image. */
export type FoundDigests = (id: ImageIdentifier) => string | undefined;

/** Every form that a registry stores; ECR translates what is not accepted, and the translation has another digest. */
const acceptedMediaTypes = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
];

/**
 * Asks ECR what images of one repository are. `BatchGetImage` is what a pull begins with, so that it may be called wherever the
 * image may be pulled; `DescribeImages` of another account's registry may be refused
 * (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html).
 */
export async function findDigests(
  client: ClientSettings,
  address: { readonly account: string; readonly repository: string },
  imageIds: readonly ImageIdentifier[],
): Promise<FoundDigests> {
  const ecr = new ECRClient({ maxAttempts: 3, ...client });
  try {
    const { images = [] } = await ecr.send(
      new BatchGetImageCommand({
        registryId: address.account,
        repositoryName: address.repository,
        imageIds: [...imageIds],
        acceptedMediaTypes,
      }),
      { abortSignal: AbortSignal.timeout(20_000) },
    );
    return ({ imageTag, imageDigest }) =>
      images.find(({ imageId }) =>
        imageTag === undefined
          ? imageId?.imageDigest === imageDigest
          : imageId?.imageTag === imageTag,
      )?.imageId?.imageDigest;
  } finally {
    ecr.destroy();
  }
}

/** The digest that the tag of an image of AWS's names now, or why none is known. */
export async function readDigest(client: ClientSettings, tagged: string): Promise<DigestAnswer> {
  const address = parseImageAddress(tagged);
  if (address === undefined) return { failed: "it is no image of ECR" };
  const { tag: imageTag } = splitTag(tagged);
  try {
    const digest = (await findDigests(client, address, [{ imageTag }]))({ imageTag });
    return digest === undefined ? { failed: "ECR has no image of that tag" } : { digest };
  } catch (error) {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { failed: said.split("\n")[0] ?? said };
  }
}
