import type { Range } from "../range.ts";
import { bandwidthShare, layerOverheadMs, pcieLayerMs, prefillShare } from "./efficiency.ts";

/** One GPU as the roofline sees it. */
export interface GpuRates {
  readonly bandwidthGBs: number;
  /** Dense peak in the arithmetic that is used, 10^12 operations a second. */
  readonly tflops: number;
}

/** A model in the form it is served. */
export interface ServedModel {
  readonly layers: number;
  /** Parameters that one token takes part in: all of them, or the active ones of a mixture of experts. */
  readonly activeParameters: number;
  readonly parameters: number;
  /** Bytes of all weights as they lie in memory. */
  readonly weightBytes: number;
  /** Bytes of the cache of one token. */
  readonly kvBytesPerToken: number;
  /** What a layer adds to a step, milliseconds. @default that of an engine with recorded or compiled steps */
  readonly layerOverheadMs?: Range | undefined;
}

/** What each request is, and how many are answered at once. */
export interface RequestShape {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly concurrency: number;
}

/** Where it runs. */
export interface ServingMachine {
  readonly gpu: GpuRates;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  /** Whether the GPUs exchange over NVLink. */
  readonly nvlink: boolean;
}

/** How fast requests are answered. */
export interface ServingSpeed {
  /** Answer tokens of one sequence, a second. */
  readonly tokensPerSecond: Range;
  /** Answer tokens of all sequences, a second, with the reading of the prompts counted in. */
  readonly totalTokensPerSecond: Range;
  /** From the request to its first token. */
  readonly firstTokenSeconds: Range;
  /** From the request to its last token. */
  readonly requestSeconds: Range;
}

/** Bytes of the weights that one step reads: a mixture of experts reads more of them the more sequences there are. */
function weightBytesRead(model: ServedModel, concurrency: number): number {
  const share = Math.min(1, (model.activeParameters / model.parameters) * concurrency);
  return model.weightBytes * share;
}

type End = "low" | "high";

/** A step at the slow or the fast end, seconds: the longer of reading memory and computing, and what each layer adds. */
function stepSeconds(
  model: ServedModel,
  { concurrency, ...request }: RequestShape,
  machine: ServingMachine,
  speed: End,
): number {
  const { gpu, tensorParallel, pipelineParallel, nvlink } = machine;
  const meanTokens = request.promptTokens + request.answerTokens / 2;
  const cacheBytes = model.kvBytesPerToken * meanTokens * concurrency;
  // Stages of a pipeline work one after the other on a token, so they do not make its step shorter.
  const bytes = (weightBytesRead(model, concurrency) + cacheBytes) / tensorParallel;
  const reading = bytes / (gpu.bandwidthGBs * 1e9 * bandwidthShare[speed]);
  const operations = (2 * model.activeParameters * concurrency) / tensorParallel;
  const computing = operations / (gpu.tflops * 1e12 * prefillShare[speed]);
  const slow = speed === "low" ? "high" : "low";
  const ofLayer = model.layerOverheadMs ?? layerOverheadMs;
  const crossing = tensorParallel > 1 && !nvlink ? pcieLayerMs[slow] : 0;
  const overhead = (model.layers * (ofLayer[slow] + crossing)) / 1000;
  return Math.max(reading, computing) + overhead * (pipelineParallel > 1 ? 1.1 : 1);
}

/** Reading one prompt, seconds. */
function promptSeconds(
  model: ServedModel,
  promptTokens: number,
  machine: ServingMachine,
  speed: End,
): number {
  const operations = 2 * model.activeParameters * promptTokens;
  const rate = machine.gpu.tflops * 1e12 * prefillShare[speed] * machine.tensorParallel;
  return operations / rate;
}

/**
 * A roofline of the memory bandwidth and the arithmetic, with the shares of them that are reached in practice: an estimate
 * for a plan, between a low and a high end, and no promise.
 */
export function servingSpeed(
  model: ServedModel,
  request: RequestShape,
  machine: ServingMachine,
): ServingSpeed {
  const at = (speed: End) => {
    const step = stepSeconds(model, request, machine, speed);
    const prompt = promptSeconds(model, request.promptTokens, machine, speed);
    // Every sequence waits while the prompts of the others are read.
    const prompts = prompt * request.concurrency;
    const whole = prompts + step * request.answerTokens;
    return { step, first: prompt + step, whole };
  };
  const slow = at("low");
  const fast = at("high");
  const tokens = request.answerTokens * request.concurrency;
  return {
    tokensPerSecond: { low: 1 / slow.step, high: 1 / fast.step },
    totalTokensPerSecond: { low: tokens / slow.whole, high: tokens / fast.whole },
    firstTokenSeconds: { low: fast.first, high: slow.first },
    requestSeconds: { low: fast.whole, high: slow.whole },
  };
}
