import type { Range } from "../range.ts";
import {
  trafficOf,
  type ClusterLayout,
  type ClusterMachine,
  type ClusterWork,
  type Traffic,
} from "./cluster-traffic.ts";
import { megatronExpertShare, megatronShare, pcieShare, trainingShare } from "./efficiency.ts";
import type { TrainingTime } from "./training-time.ts";

/** One step of the optimiser. */
export interface ClusterStep {
  /** Of the GPUs' dense peak that the arithmetic reaches. */
  readonly share: Range;
  /** Arithmetic alone, without waiting. */
  readonly computeSeconds: Range;
  /** Time that a pipeline stands empty, as a share of the arithmetic: (stages - 1) / (passes x groups). */
  readonly bubble: number;
  readonly traffic: readonly Traffic[];
  readonly stepSeconds: Range;
  readonly tokensPerStep: number;
}

/**
 * Operations of one token: 6 for each parameter (4 with frozen weights), 2 more where activations are made again, and as much
 * again of the scores of attention, half of which a causal mask leaves out
 * (https://arxiv.org/abs/2104.04473, appendix).
 */
function operationsPerToken(work: ClusterWork): number {
  const { method, activeParameters, layers, hiddenSize, sequenceTokens } = work;
  const passes = (method === "full" ? 3 : 2) + (work.gradientCheckpointing ? 1 : 0);
  const scores = 2 * sequenceTokens * hiddenSize * layers;
  return passes * (2 * activeParameters + scores);
}

/** Idle time of a pipeline against its arithmetic (https://arxiv.org/abs/2104.04473, section 2.2). */
function bubbleShare({ pipelineParallel, virtualStages, passes }: ClusterLayout): number {
  return (pipelineParallel - 1) / (passes * virtualStages);
}

function computeShare(
  { method, experts }: ClusterWork,
  layout: ClusterLayout,
  { nvlink }: ClusterMachine,
): Range {
  if (layout.framework === "megatron" && nvlink) {
    return experts === undefined ? megatronShare : megatronExpertShare;
  }
  const { low, high } = trainingShare[method];
  const crossing = !nvlink && layout.gpusPerNode > 1 ? pcieShare : { low: 1, high: 1 };
  return { low: low * crossing.low, high: high * crossing.high };
}

/**
 * One step, and what its end points stand for. Fast: gradients and weights travel behind the arithmetic and the rest takes no
 * time of its own. Slow: nothing is hidden.
 */
export function clusterStep(
  work: ClusterWork,
  layout: ClusterLayout,
  machine: ClusterMachine,
): ClusterStep {
  const { microBatch, sequenceTokens } = work;
  const { passes, dataParallel, tensorParallel, pipelineParallel, contextParallel = 1 } = layout;
  const tokensPerStep = passes * microBatch * dataParallel * sequenceTokens;
  const share = computeShare(work, layout, machine);
  const gpus = dataParallel * tensorParallel * pipelineParallel * contextParallel;
  const peak = machine.tflops * 1e12 * gpus;
  const operations = operationsPerToken(work) * tokensPerStep;
  const at = (part: number) => operations / (peak * part);
  const computeSeconds = { low: at(share.high), high: at(share.low) };
  const traffic = trafficOf(work, layout, machine);
  const bubble = bubbleShare(layout);
  const hidden = traffic.filter(({ kind }) => kind === "data").map(({ seconds }) => seconds.low);
  const waiting = traffic.reduce((sum, { seconds }) => sum + seconds.high, 0);
  const stepSeconds = {
    low: Math.max(computeSeconds.low * (1 + bubble), ...hidden),
    high: computeSeconds.high * (1 + bubble) + waiting,
  };
  return { share, computeSeconds, bubble, traffic, stepSeconds, tokensPerStep };
}

/** How long a training of so many tokens takes at that pace. */
export function clusterTime(
  { stepSeconds, tokensPerStep }: ClusterStep,
  data: { readonly datasetTokens: number; readonly epochs: number },
): TrainingTime {
  const hours = (tokens: number) => ({
    low: ((tokens / tokensPerStep) * stepSeconds.low) / 3600,
    high: ((tokens / tokensPerStep) * stepSeconds.high) / 3600,
  });
  return {
    tokensPerSecond: {
      low: tokensPerStep / stepSeconds.high,
      high: tokensPerStep / stepSeconds.low,
    },
    epochHours: hours(data.datasetTokens),
    jobHours: hours(data.datasetTokens * data.epochs),
  };
}
