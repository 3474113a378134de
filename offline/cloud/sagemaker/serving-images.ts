/** What stands for an image: its repository, and the program that is started in place of its container. */
export interface ServingImage {
  /** Name of the ECR repository, whatever account and tag. */
  readonly repository: string;
  readonly command: readonly [string, ...string[]];
}

/** Repositories of AWS's own serving images, which exist in every account's eyes. */
const awsRepositories = ["vllm", "llama-cpp", "djl-inference", "huggingface-vllm", "sglang"];

function repositoryOf(image: string): string | undefined {
  return /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com\/([^:@]+)(?:[:@].+)?$/.exec(image)?.[1];
}

/** Whether there is such an image. */
export function imageExists(image: string, images: readonly ServingImage[]): boolean {
  const repository = repositoryOf(image);
  return (
    repository !== undefined &&
    (awsRepositories.includes(repository) || images.some((each) => each.repository === repository))
  );
}

/** The program of an image; undefined when this machine has none for it. */
export function programOf(
  image: string,
  images: readonly ServingImage[],
): ServingImage["command"] | undefined {
  const repository = repositoryOf(image);
  return images.find((each) => each.repository === repository)?.command;
}
