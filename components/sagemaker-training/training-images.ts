import { z } from "zod";
import { taggedAddress } from "../container-images/image-address.ts";
import {
  pinnedImage,
  type ImageDigests,
  type PinnedImage,
} from "../container-images/image-digests.ts";
import { UserError } from "../user-error.ts";

const trainingImagesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  collectedAt: z.iso.date(),
  image: z.strictObject({
    repository: z.string(),
    tag: z.string(),
    pytorch: z.string(),
    cuda: z.string(),
    /** Older GPUs cannot compute with its CUDA. */
    leastComputeCapability: z.string(),
    source: z.string(),
  }),
  /** Account of the registry, by region. */
  registries: z.record(z.string(), z.string().regex(/^\d{12}$/)),
  /** What the API takes as a training job's type; the account's quota decides beside it. */
  types: z.strictObject({
    source: z.string(),
    names: z.array(z.string().regex(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/)),
  }),
});

/** AWS's training image with PyTorch, the account that holds it in each region, and the types that run it. */
export interface TrainingImages extends Readonly<z.infer<typeof trainingImagesSchema>> {
  readonly digests?: ImageDigests | undefined;
}

/**
 * The content of `data/training-images.json`.
 *
 * @throws z.ZodError naming every field that is wrong
 */
export function parseTrainingImages(raw: unknown): TrainingImages {
  return trainingImagesSchema.parse(raw);
}

/** The address by tag of the training image in a region; undefined where its registry is not known. */
export function taggedTrainingImage(
  { image, registries }: TrainingImages,
  region: string,
): string | undefined {
  const account = registries[region];
  if (account === undefined) return undefined;
  return taggedAddress({ account, region, repository: image.repository }, image.tag);
}

/**
 * The training image in a region, by its digest where that is known.
 *
 * @throws UserError when AWS's registry of the region is not known
 */
export function trainingImage(images: TrainingImages, region: string): PinnedImage {
  const tagged = taggedTrainingImage(images, region);
  if (tagged !== undefined) return pinnedImage(tagged, images.digests);
  throw new UserError(`AWS's training image is not known in ${region}.`, {
    hint: `Take aws:region one of ${Object.keys(images.registries).join(", ")}, or give an image of your own with --image.`,
  });
}
