import { z } from "zod";
import { taggedAddress } from "../container-images/image-address.ts";
import {
  pinnedImage,
  type ImageDigests,
  type PinnedImage,
} from "../container-images/image-digests.ts";
import { UserError } from "../user-error.ts";
import { containerEnvironments, type Device, type Served } from "./container-environment.ts";

const servingImagesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  collectedAt: z.iso.date(),
  source: z.string(),
  images: z.array(
    z.strictObject({
      server: z.enum(["vllm", "lmi", "llama.cpp"]),
      /** What it computes on. */
      device: z.enum(["gpu", "cpu"]),
      repository: z.string(),
      /** A release, never a tag that moves with the next one. */
      tag: z.string(),
      /** Of images for GPUs alone. */
      inferenceAmiVersion: z.string().optional(),
      source: z.string(),
    }),
  ),
  /** Account of the registry, by region. */
  registries: z.record(z.string(), z.string().regex(/^\d{12}$/)),
});

/** What serves in a container: vLLM; DJL's Large Model Inference, which has vLLM inside; llama.cpp. */
export type ContainerServer = ServingImages["images"][number]["server"];

/** AWS's serving images, the account that holds them in each region, and what is known of their digests. */
export interface ServingImages extends Readonly<z.infer<typeof servingImagesSchema>> {
  readonly digests?: ImageDigests | undefined;
}

/**
 * The content of `data/serving-images.json`.
 *
 * @throws z.ZodError naming every field that is wrong
 */
export function parseServingImages(raw: unknown): ServingImages {
  return servingImagesSchema.parse(raw);
}

/** The container that serves the model on an endpoint. */
export interface ServingContainer extends PinnedImage {
  readonly environment: Readonly<Record<string, string>>;
  /**
   * The host's image, by the driver that the container's CUDA needs: without it g4dn and g5 get driver 470
   * (https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html). Undefined leaves AWS's default.
   */
  readonly inferenceAmiVersion: string | undefined;
  /** What its `/invocations` takes: vLLM tells completions and chats apart itself, llama.cpp's image takes chats only. */
  readonly requestForm: "completion" | "chat";
}

/**
 * What serves a plan's model.
 *
 * @throws UserError for an engine that no image of AWS has, and for a server that does not serve its files
 */
function serverOf(
  { engine, modelId }: Served,
  asked: ContainerServer | undefined,
): ContainerServer {
  if (engine !== "vllm" && engine !== "llama.cpp") {
    throw new UserError(`A SageMaker endpoint does not serve ${modelId} with ${engine}.`, {
      hint: "Set berth:target to ec2 for that, or take a text model with vllm.",
    });
  }
  if (asked === undefined || asked === engine) return engine;
  if (engine === "vllm" && asked !== "llama.cpp") return asked;
  throw new UserError(`The image of ${asked} does not serve ${modelId}, which has GGUF files.`, {
    hint: "Leave berth:servingImage out.",
  });
}

/** Where a container is to run. */
interface ContainerPlace {
  readonly region: string;
  readonly imageUri?: string | undefined;
  /** @default the plan's engine */
  readonly server?: ContainerServer | undefined;
  /** @default "gpu" */
  readonly device?: Device | undefined;
}

/**
 * The container for a plan in a region: AWS's image of the same engine that a GPU host runs or of the server that is asked for, or
 * the image that was given.
 *
 * @param imageUri an image of the user's own, with the same environment and contract
 * @throws UserError when AWS's registry of the region is not known
 */
export function servingContainer(
  plan: Served,
  images: ServingImages,
  { region, imageUri, server: asked, device = "gpu" }: ContainerPlace,
): ServingContainer {
  const server = serverOf(plan, asked);
  const environment = containerEnvironments[server](plan, device);
  const requestForm = server === "llama.cpp" ? "chat" : "completion";
  if (imageUri !== undefined) {
    const own = { image: imageUri, pin: undefined, inferenceAmiVersion: undefined };
    return { ...own, environment, requestForm };
  }
  const found = images.images.find((each) => each.server === server && each.device === device);
  const account = images.registries[region];
  if (found === undefined || account === undefined) {
    throw new UserError(`No image of ${server} is known for SageMaker in ${region}.`, {
      hint: `Set berth:imageUri to one of your own, or aws:region to one of ${Object.keys(images.registries).join(", ")}.`,
    });
  }
  const { repository, tag, inferenceAmiVersion } = found;
  const tagged = taggedAddress({ account, region, repository }, tag);
  return { ...pinnedImage(tagged, images.digests), environment, inferenceAmiVersion, requestForm };
}

/** Addresses by tag of every image of AWS's that serves in a region; none where its registry is not known. */
export function servingImagesIn({ images, registries }: ServingImages, region: string): string[] {
  const account = registries[region];
  if (account === undefined) return [];
  return images.map(({ repository, tag }) => taggedAddress({ account, region, repository }, tag));
}
