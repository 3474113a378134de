import type { Model } from "../catalogue/model.ts";
import { imageTrainingProblems } from "./image-training-demand.ts";
import { trainingWorkload, type TrainingRequest } from "./training-request.ts";
import type { Task } from "./workload.ts";

/** What a training of an image model has nothing to do with. */
const ofText = [
  "sequenceTokens",
  "datasetTokens",
  "epochs",
  "globalBatch",
  "sharding",
  "offload",
  "framework",
  "tensorParallel",
  "pipelineParallel",
  "contextParallel",
  "expertParallel",
] as const;

const sides = { least: 64, most: 4096, step: 8 } as const;

function isSide(pixels: number): boolean {
  return pixels >= sides.least && pixels <= sides.most && pixels % sides.step === 0;
}

/**
 * What of a training's request does not go with a model that makes images, or with one that does not; the request is right by
 * itself.
 */
export function wrongImages(request: TrainingRequest, model: Model, task: Task): readonly string[] {
  const { imageSize } = request;
  if (model.task !== "image-generation" || task === "serve") {
    return (["imageSize", "trainTextEncoder"] as const)
      .filter((name) => request[name] !== undefined)
      .map((name) => `${name}: is of the training of an image model, with --task finetune`);
  }
  const workload = trainingWorkload(request, { scratch: task === "train", model });
  const size = imageSize === undefined ? "" : `${imageSize.width} x ${imageSize.height}`;
  const wrong = imageSize !== undefined && !(isSide(imageSize.width) && isSide(imageSize.height));
  return [
    ...imageTrainingProblems(model, workload),
    ...(wrong
      ? [
          `imageSize: ${size}; each side is a multiple of ${sides.step} from ${sides.least} to ${sides.most}`,
        ]
      : []),
    ...ofText
      .filter((name) => request[name] !== undefined)
      .map(
        (name) => `${name}: says nothing of ${model.id}, which makes images and trains on one GPU`,
      ),
  ];
}
