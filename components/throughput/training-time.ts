import { inverse, type Range } from "../range.ts";
import { pcieShare, trainingShare } from "./efficiency.ts";

/** A training as far as its time goes. */
export interface TrainingJob {
  readonly method: "full" | "lora" | "qlora";
  /** Parameters that one token takes part in. */
  readonly activeParameters: number;
  /** Activations are made a second time in the backward pass. */
  readonly gradientCheckpointing: boolean;
  /** Tokens of the data set, seen once in an epoch. */
  readonly datasetTokens: number;
  readonly epochs: number;
}

/** Where it runs. */
export interface TrainingMachine {
  /** Dense peak of one GPU in 16 bit, 10^12 operations a second. */
  readonly tflops: number;
  readonly gpuCount: number;
  readonly nvlink: boolean;
}

/** How long a training takes. */
export interface TrainingTime {
  readonly tokensPerSecond: Range;
  readonly epochHours: Range;
  readonly jobHours: Range;
}

/**
 * Operations of one token: 2 for each parameter forward, 4 backward (https://arxiv.org/abs/2001.08361, section 2.1), 2 of
 * which make the gradients of the weights and fall away where these are frozen; 2 more where activations are made again.
 */
export function operationsPerToken({
  method,
  activeParameters,
  gradientCheckpointing,
}: TrainingJob): number {
  const backward = method === "full" ? 4 : 2;
  return (2 + backward + (gradientCheckpointing ? 2 : 0)) * activeParameters;
}

/** Hours of an epoch and of the whole, as a range of the share of the peak that trainings reach. */
export function trainingTime(job: TrainingJob, machine: TrainingMachine): TrainingTime {
  const share = trainingShare[job.method];
  const shared = machine.gpuCount > 1 && !machine.nvlink ? pcieShare : { low: 1, high: 1 };
  const peak = machine.tflops * 1e12 * machine.gpuCount;
  const operations = operationsPerToken(job);
  const tokensPerSecond = {
    low: (peak * share.low * shared.low) / operations,
    high: (peak * share.high * shared.high) / operations,
  };
  const epochHours = inverse(tokensPerSecond, job.datasetTokens / 3600);
  const jobHours = inverse(tokensPerSecond, (job.datasetTokens * job.epochs) / 3600);
  return { tokensPerSecond, epochHours, jobHours };
}
