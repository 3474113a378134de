import { createHash } from "node:crypto";
import type { Faults } from "../faults.ts";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";

/** AWS's registry of deep-learning containers in most regions, and where it is another. */
const usualAccount = "763104351884";
const accounts: Readonly<Record<string, string>> = {
  "af-south-1": "626614931356",
  "eu-south-1": "692866216735",
  "il-central-1": "780543022126",
  "me-south-1": "217643126080",
};
const known = new Set([usualAccount, ...Object.values(accounts)]);

/** Repositories of that registry, with the form of their tags. */
const repositories: Readonly<Record<string, RegExp>> = {
  vllm: /^server-sagemaker-cuda-v\d+\.\d+$/,
  "llama-cpp": /^server-sagemaker-(cuda|cpu)-v\d+\.\d+$/,
  "djl-inference": /^\d+\.\d+\.\d+-lmi\d+\.\d+\.\d+-cu\d+(-v[\d.]+)?$/,
  "pytorch-training": /^\d+\.\d+\.\d+-(cpu|gpu)-py\d+-.*sagemaker$/,
};

interface ImageId {
  readonly imageTag?: string;
  readonly imageDigest?: string;
}

interface Asked {
  readonly registryId?: string;
  readonly repositoryName?: string;
  readonly imageIds?: readonly ImageId[];
}

function digestOf(repository: string, tag: string, push: number): string {
  return `sha256:${createHash("sha256").update(`${repository}:${tag}, push ${push}`).digest("hex")}`;
}

/** What of an image is otherwise than usual, by a fault. */
function isSo(faults: Faults, kind: "image-gone" | "image-moved", name: string): boolean {
  return faults.all().some((fault) => fault.kind === kind && name.includes(fault.key ?? ""));
}

/** The digest that is meant, where there is such an image. */
function digestFor(
  repository: string,
  { imageTag, imageDigest }: ImageId,
  faults: Faults,
): string | undefined {
  if (imageTag === undefined) {
    const isGone = isSo(faults, "image-gone", `${repository}@${imageDigest ?? ""}`);
    return isGone ? undefined : imageDigest;
  }
  const name = `${repository}:${imageTag}`;
  if (isSo(faults, "image-gone", name)) return undefined;
  if (repositories[repository]?.test(imageTag) !== true) return undefined;
  return digestOf(repository, imageTag, isSo(faults, "image-moved", name) ? 2 : 1);
}

/**
 * BatchGetImage of ECR for AWS's own registries, which any account may pull from. Every digest is taken to be there, since pushes
 * of before stay; none for the account's own registry, which is moto's.
 */
export function serveAwsImages(call: ApiRequest, faults: Faults): object | undefined {
  if (call.service !== "ecr" || call.operation !== "BatchGetImage") return undefined;
  const { registryId = "", repositoryName = "", imageIds: ids = [] } = call.parameters as Asked;
  if (!known.has(registryId)) return undefined;
  const here = accounts[call.region] ?? usualAccount;
  if (registryId !== here || repositories[repositoryName] === undefined) {
    throw new ApiError(
      "RepositoryNotFoundException",
      `The repository with name '${repositoryName}' does not exist in the registry with id '${registryId}'`,
    );
  }
  const found = ids.map((imageId) => {
    return { imageId, imageDigest: digestFor(repositoryName, imageId, faults) };
  });
  return {
    images: found
      .filter(({ imageDigest }) => imageDigest !== undefined)
      .map(({ imageId, imageDigest }) => ({
        ...{ registryId, repositoryName, imageManifest: "{}" },
        imageId: { ...imageId, imageDigest },
      })),
    failures: found
      .filter(({ imageDigest }) => imageDigest === undefined)
      .map(({ imageId }) => ({
        imageId,
        failureCode: "ImageNotFound",
        failureReason: "Requested image not found",
      })),
  };
}
