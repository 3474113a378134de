import { jobUsd } from "../pricing/rung-cost.ts";
import type { TrainingJob } from "../sizing/job.ts";
import { shapeOf } from "../sizing/model-shape.ts";
import { stepOf } from "../sizing/parallel/choose-layout.ts";
import { groupsOf, virtualStagesOf } from "../sizing/parallel/training-layout.ts";
import type { Candidate } from "../sizing/placement.ts";
import { clusterTime, type ClusterStep } from "../throughput/cluster-step.ts";
import { inverse } from "../range.ts";
import { imageSizeOf } from "../sizing/image-training-demand.ts";
import { imageTrainingSpeed } from "../throughput/image-training-speed.ts";
import { densePeakTflops } from "../throughput/dense-peak.ts";
import { trainingTime, type TrainingTime } from "../throughput/training-time.ts";
import type { Rung } from "./report.ts";

/** How long it takes on one host, by the share of the peak alone. */
function singleHostTime(job: TrainingJob, candidate: Candidate, tflops: number): TrainingTime {
  const { parameters } = shapeOf(job.model);
  return trainingTime(
    {
      method: job.workload.method,
      activeParameters: Math.min(job.model.activeParameters ?? parameters, parameters),
      gradientCheckpointing: job.workload.gradientCheckpointing,
      datasetTokens: job.datasetTokens,
      epochs: job.epochs,
    },
    {
      tflops,
      gpuCount: candidate.demand.dataParallel,
      nvlink: candidate.placement.nvlink,
    },
  );
}

/** A step of several hosts, or of Megatron-LM's groups; undefined where the share of the peak alone says it. */
function stepOfCandidate(job: TrainingJob, { layout, accelerator, type }: Candidate) {
  if (layout === undefined) return undefined;
  if (layout.framework === "hugging-face" && layout.nodes === 1) return undefined;
  const { nodes, gpusPerNode } = layout;
  const { nvlink = false, networkGbps } = type;
  return stepOf(job, layout, { accelerator, nodes, gpusPerNode, nvlink, networkGbps });
}

function layoutOf({ layout, type }: Candidate, step: ClusterStep | undefined): Rung["layout"] {
  if (layout === undefined) return undefined;
  const { framework, nodes, gpusPerNode, passes, globalBatch, workload } = layout;
  const { tensorParallel, pipelineParallel, dataParallel } = layout;
  const { contextParallel, expertParallel } = groupsOf(layout);
  const { gradientCheckpointing, microBatch, sharding = "none" } = workload;
  return {
    framework,
    nodes,
    gpusPerNode,
    tensorParallel,
    pipelineParallel,
    dataParallel,
    contextParallel,
    expertParallel,
    virtualStages: virtualStagesOf(layout),
    tablesAsLayers: workload.megatron?.tablesAsLayers ?? false,
    sharding: framework === "megatron" ? "distributed-optimizer" : sharding,
    gradientCheckpointing,
    microBatch,
    passes,
    globalBatch,
    networkGbps: type.networkGbps,
    step,
  };
}

/** The work of a pass is taken to grow with the pixels; attention grows faster, within the range. */
function imageTraining(
  { model, workload }: TrainingJob,
  { accelerator, hourly }: Candidate,
): Rung["imageTraining"] {
  const tflops = densePeakTflops(accelerator);
  const { denoising, imagePixels = 1024 } = model;
  const { method, gradientCheckpointing, microBatch } = workload;
  if (tflops === undefined || denoising === undefined || method === "qlora") return undefined;
  const { width, height } = imageSizeOf(model, workload);
  const speed = imageTrainingSpeed(
    {
      teraOperationsPerPass:
        (denoising.teraOperationsPerPass * width * height) / (imagePixels * imagePixels),
      method,
      gradientCheckpointing,
      images: microBatch,
    },
    tflops,
  );
  const perThousandImagesUsd = inverse(speed.imagesPerHour, hourly.totalUsd * 1000);
  return { ...speed, perThousandImagesUsd };
}

/** Layout and time of a training: the same in every region, and in every market. */
export interface TrainingPace extends Pick<Rung, "layout"> {
  /** Undefined where the GPU's peak is not known. */
  readonly training: TrainingTime | undefined;
}

/** Of a model that is no image model. */
export function trainingPace(job: TrainingJob, candidate: Candidate): TrainingPace {
  const step = stepOfCandidate(job, candidate);
  const layout = layoutOf(candidate, step);
  const tflops = densePeakTflops(candidate.accelerator);
  if (tflops === undefined) return { layout, training: undefined };
  const training =
    step === undefined ? singleHostTime(job, candidate, tflops) : clusterTime(step, job);
  return { layout, training };
}

/** Layout, time and price of a training; without the last two where the GPU's peak is not known; none of an image model. */
export function trainingRung(
  job: TrainingJob,
  candidate: Candidate,
  pace: TrainingPace | undefined,
): Pick<Rung, "layout"> & Partial<Pick<Rung, "training" | "jobUsd" | "imageTraining">> {
  if (pace === undefined) {
    return { layout: undefined, imageTraining: imageTraining(job, candidate) };
  }
  const { training, layout } = pace;
  if (training === undefined) return { layout };
  return { training, layout, jobUsd: jobUsd(candidate.hourly.totalUsd, training.jobHours) };
}
