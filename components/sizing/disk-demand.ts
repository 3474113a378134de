import type { Model } from "../catalogue/model.ts";
import { trainedImageParameters } from "./image-training-demand.ts";
import { shapeOf } from "./model-shape.ts";
import { trainedParameters } from "./training-states.ts";
import { nativeWeightBytes, weightBytes } from "./weight-layout.ts";
import type { Task, TrainingWorkload, WeightFormat } from "./workload.ts";

/** One piece of what a disk has to hold. */
export interface SizePart {
  readonly name: string;
  readonly gib: number;
  readonly why: string;
}

/** What a disk or the host's memory has to hold, GiB. */
export interface SizeDemand {
  readonly parts: readonly SizePart[];
  readonly totalGiB: number;
}

/** What decides the disk besides the model. */
export interface DiskWorkload {
  /** A format other than the files' own has to be made on the disk first. @default "native" */
  readonly precision?: WeightFormat | undefined;
  /** Undefined when the model is served. */
  readonly training?: TrainingWorkload | undefined;
  /** @default 20 for training, 0 for serving */
  readonly datasetGiB?: number | undefined;
  /** Checkpoints that are kept, the last included. @default 3 */
  readonly keptCheckpoints?: number | undefined;
}

const gibi = 1024 ** 3;
/** Operating system, driver, CUDA libraries, container images and caches of compiled kernels. */
const systemGiB = 60;
/** Below this a training disk fills with logs, caches and a second checkpoint. */
const trainingFloorGiB = 200;

/** Adds the parts up. */
export function sizeOf(parts: readonly SizePart[]): SizeDemand {
  const held = parts.filter(({ gib }) => gib > 0);
  return { parts: held, totalGiB: held.reduce((total, { gib }) => total + gib, 0) };
}

/** Bytes of one checkpoint: what is trained, with its 32-bit copy and moments where the optimiser has them. */
function checkpointBytes(model: Model, training: TrainingWorkload): number {
  const trained =
    model.task === "image-generation"
      ? trainedImageParameters(model, training)
      : trainedParameters(shapeOf(model), training).trained;
  const moments = { adamw: 8, "adamw-8bit": 2, adafactor: 0.1, sgd: 0 }[training.optimizer];
  const copies = training.precision === "bf16" ? 2 + moments / 2 : 6 + moments;
  return trained * copies;
}

/**
 * What the disk has to hold: system, download, converted weights, checkpoints and data, and a tenth to spare. Never under
 * 200 GiB for training.
 *
 * @throws UserError when the catalogue lacks a figure that it takes
 */
export function diskDemand(model: Model, task: Task, workload: DiskWorkload = {}): SizeDemand {
  const { precision = "native", training, datasetGiB, keptCheckpoints = 3 } = workload;
  const download = nativeWeightBytes(model) / gibi;
  const converted = precision === "native" ? 0 : weightBytes(model, precision) / gibi;
  const checkpoints =
    training === undefined ? 0 : (keptCheckpoints * checkpointBytes(model, training)) / gibi;
  const data = datasetGiB ?? (task === "serve" ? 0 : 20);
  const parts: SizePart[] = [
    { name: "system", gib: systemGiB, why: "system, driver, libraries, container images" },
    { name: "download", gib: download, why: "the files of one format" },
    { name: "converted", gib: converted, why: `the weights in ${precision}` },
    { name: "checkpoints", gib: checkpoints, why: `${keptCheckpoints} kept, optimiser included` },
    { name: "datasets", gib: data, why: "text, tokens and caches" },
  ];
  const used = sizeOf(parts).totalGiB;
  const spare = Math.max(used * 0.1, task === "serve" ? 0 : trainingFloorGiB - used);
  return sizeOf([
    ...parts,
    { name: "spare", gib: spare, why: "logs, caches and a tenth to spare" },
  ]);
}
