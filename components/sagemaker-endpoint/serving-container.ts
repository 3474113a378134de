import { z } from "zod";
import {
  pinnedImage,
  type ImageDigests,
  type ImagePin,
} from "../container-images/image-digests.ts";
import { vllmQuantisation } from "../model-server/load-precision.ts";
import type { Plan, ServingEngine } from "../plan.ts";
import { UserError } from "../user-error.ts";

const servingImagesSchema = z.strictObject({
  schemaVersion: z.literal(1),
  collectedAt: z.iso.date(),
  source: z.string(),
  images: z.array(
    z.strictObject({
      engine: z.enum(["vllm", "llama.cpp"]),
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
export interface ServingContainer {
  readonly image: string;
  /** Undefined for an image of the user's own. */
  readonly pin: ImagePin | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /**
   * The host's image, by the driver that the container's CUDA needs: without it g4dn and g5 get driver 470
   * (https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html). Undefined leaves AWS's default.
   */
  readonly inferenceAmiVersion: string | undefined;
  /** What its `/invocations` takes: vLLM tells completions and chats apart itself, llama.cpp's image takes chats only. */
  readonly requestForm: "completion" | "chat";
}

/** Where SageMaker puts the files of a model (https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-uncompressed.html). */
const modelFolder = "/opt/ml/model";

/** What a container computes on. */
type Device = "gpu" | "cpu";

type Served = Pick<
  Plan,
  "engine" | "modelId" | "contextTokens" | "concurrency" | "ladder" | "quantise"
>;

/**
 * Environment of AWS's vLLM image: `SM_VLLM_X_Y` becomes `--x-y`
 * (https://aws.github.io/deep-learning-containers/vllm/deployment/sagemaker/).
 */
function vllmEnvironment(plan: Served): Record<string, string> {
  const quantisation = vllmQuantisation[plan.quantise ?? "none"];
  return {
    SM_VLLM_MODEL: modelFolder,
    SM_VLLM_SERVED_MODEL_NAME: plan.modelId,
    SM_VLLM_MAX_MODEL_LEN: String(plan.contextTokens),
    SM_VLLM_MAX_NUM_SEQS: String(plan.concurrency),
    SM_VLLM_TENSOR_PARALLEL_SIZE: String(plan.ladder[0].tensorParallel),
    ...(quantisation === undefined ? {} : { SM_VLLM_QUANTIZATION: quantisation }),
  };
}

/** Environment of AWS's llama.cpp image: its context is shared by all sequences. */
function llamaEnvironment(plan: Served, device: Device): Record<string, string> {
  return {
    SM_LLAMA_CPP_ALIAS: plan.modelId,
    SM_LLAMA_CPP_CTX_SIZE: String(plan.contextTokens * plan.concurrency),
    SM_LLAMA_CPP_PARALLEL: String(plan.concurrency),
    ...(device === "gpu" ? { SM_LLAMA_CPP_N_GPU_LAYERS: "999" } : {}),
  };
}

/** @throws UserError for an engine that no image of AWS serves this way */
function environmentOf(
  engine: ServingEngine,
  plan: Served,
  device: Device,
): Record<string, string> {
  if (engine !== "vllm" && engine !== "llama.cpp") {
    throw new UserError(`A SageMaker endpoint does not serve ${plan.modelId} with ${engine}.`, {
      hint: "Set berth:target to ec2 for that, or take a text model with vllm.",
    });
  }
  return engine === "vllm" ? vllmEnvironment(plan) : llamaEnvironment(plan, device);
}

/** Where a container is to run. */
interface ContainerPlace {
  readonly region: string;
  readonly imageUri?: string | undefined;
  /** @default "gpu" */
  readonly device?: Device | undefined;
}

/**
 * The container for a plan in a region: AWS's image of the same engine that a GPU host runs, or the one that was given.
 *
 * @param imageUri an image of the user's own, with the same environment and contract
 * @throws UserError when AWS's registry of the region is not known
 */
export function servingContainer(
  plan: Served,
  images: ServingImages,
  { region, imageUri, device = "gpu" }: ContainerPlace,
): ServingContainer {
  const { engine } = plan;
  const environment = environmentOf(engine, plan, device);
  const requestForm = engine === "vllm" ? "completion" : "chat";
  if (imageUri !== undefined) {
    const own = { image: imageUri, pin: undefined, inferenceAmiVersion: undefined };
    return { ...own, environment, requestForm };
  }
  const found = images.images.find((each) => each.engine === engine && each.device === device);
  const account = images.registries[region];
  if (found === undefined || account === undefined) {
    throw new UserError(`No image of ${engine} is known for SageMaker in ${region}.`, {
      hint: `Set berth:imageUri to one of your own, or aws:region to one of ${Object.keys(images.registries).join(", ")}.`,
    });
  }
  const { repository, tag, inferenceAmiVersion } = found;
  const tagged = `${account}.dkr.ecr.${region}.amazonaws.com/${repository}:${tag}`;
  return { ...pinnedImage(tagged, images.digests), environment, inferenceAmiVersion, requestForm };
}

/** Addresses by tag of every image of AWS's that serves in a region; none where its registry is not known. */
export function servingImagesIn({ images, registries }: ServingImages, region: string): string[] {
  const account = registries[region];
  if (account === undefined) return [];
  return images.map(
    ({ repository, tag }) => `${account}.dkr.ecr.${region}.amazonaws.com/${repository}:${tag}`,
  );
}

/** The line of a plan that says which image serves, and whether a push to its tag could change it. */
export function imageLine({ image, pin }: ServingContainer): string {
  if (pin === undefined) return `image      ${image}`;
  if (pin.digestAsOf === undefined) {
    return `image      ${image}, by its tag: "berth catalogue refresh" reads the digest`;
  }
  return `image      ${image}, which is ${pin.tagged.slice(pin.tagged.lastIndexOf(":") + 1)} of ${pin.digestAsOf}`;
}

/** Parts of an ECR image's address. */
export interface ImageAddress {
  readonly account: string;
  readonly region: string;
  readonly repository: string;
}

/** `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>` or `@sha256:<digest>`; undefined for any other address. */
export function parseImageAddress(uri: string): ImageAddress | undefined {
  const pattern =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([a-z0-9._/-]+)(:[\w.-]{1,128}|@sha256:[0-9a-f]{64})$/;
  const [, account, region, repository] = pattern.exec(uri) ?? [];
  return account === undefined || region === undefined || repository === undefined
    ? undefined
    : { account, region, repository };
}
