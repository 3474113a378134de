import type { Range } from "../range.ts";
import { networkShare, nvlinkShare } from "./efficiency.ts";

/** What is computed, as far as its time goes. */
export interface ClusterWork {
  readonly method: "full" | "lora" | "qlora";
  /** Parameters that one token takes part in. */
  readonly activeParameters: number;
  /** Parameters that lie in memory. */
  readonly parameters: number;
  /** Parameters that are trained: all of them, or those of adapters. */
  readonly trainedParameters: number;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly sequenceTokens: number;
  /** Sequences of one pass on one GPU. */
  readonly microBatch: number;
  /** Activations are made a second time in the backward pass. */
  readonly gradientCheckpointing: boolean;
  /** Weights are shared out over the data-parallel GPUs, and gathered for every pass (ZeRO 3, FSDP). */
  readonly weightsSharded: boolean;
  /** Numbers of key and value of one token in a layer; 0 where no sequence is shared out. @default 0 */
  readonly keyValueNumbers?: number | undefined;
  /** Of a mixture of experts under Megatron-LM. */
  readonly experts?: ExpertWork | undefined;
}

/** The experts of a mixture, as far as their exchange goes. */
export interface ExpertWork {
  /** Experts that a token goes to. */
  readonly perToken: number;
  /** Parameters of all of them that are trained. */
  readonly trainedParameters: number;
}

/** How it is laid out. */
export interface ClusterLayout {
  readonly framework: "hugging-face" | "megatron";
  readonly nodes: number;
  readonly gpusPerNode: number;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  readonly dataParallel: number;
  /** GPUs that share out one sequence. @default 1 */
  readonly contextParallel?: number | undefined;
  /** GPUs that share out the experts of a layer. @default 1 */
  readonly expertParallel?: number | undefined;
  readonly virtualStages: number;
  /** Passes of one step. */
  readonly passes: number;
}

/** Where it runs. */
export interface ClusterMachine {
  /** Dense peak of one GPU in 16 bit, 10^12 operations a second. */
  readonly tflops: number;
  readonly nvlink: boolean;
  /** Of one GPU, both directions together; undefined where not known. */
  readonly nvlinkGBs: number | undefined;
  /** Of one node, all its network cards. */
  readonly networkGbps: number;
}

/** What crosses between GPUs in one step. */
export interface Traffic {
  /**
   * Of the tensor-parallel groups, of keys and values over the GPUs of one sequence, of tokens and their experts, between
   * stages, or of gradients and weights over the data-parallel GPUs.
   */
  readonly kind: "tensor" | "context" | "expert" | "pipeline" | "data";
  /** NVLink within a node, each way of one GPU; the network between nodes, each way of one node. */
  readonly over: "nvlink" | "network";
  readonly gigabytes: number;
  /** When nothing hides it. */
  readonly seconds: Range;
}

/** Gradients that are added up in 32 bit, and weights that come back in 16, bytes of a parameter. */
const gradientBytes = 4;
const weightBytes = 2;

/** Bytes of one pass of the activations between layers, of the GPUs that have one part of a sequence. */
function streamBytes(
  { microBatch, sequenceTokens, hiddenSize }: ClusterWork,
  { contextParallel = 1 }: ClusterLayout,
): number {
  return (2 * microBatch * sequenceTokens * hiddenSize) / contextParallel;
}

/** Undefined where nothing crosses. */
function timed(
  { kind, over }: Pick<Traffic, "kind" | "over">,
  bytes: number,
  machine: ClusterMachine,
): Traffic | undefined {
  if (bytes <= 0) return undefined;
  const network = machine.networkGbps / 8;
  // One way is half of what the board's figure counts.
  const link = (machine.nvlinkGBs ?? 0) / 2;
  const [rate, share] = over === "network" ? [network, networkShare] : [link, nvlinkShare];
  const gigabytes = bytes / 1e9;
  const seconds = { low: gigabytes / (rate * share.high), high: gigabytes / (rate * share.low) };
  return { kind, over, gigabytes, seconds };
}

/** Each layer exchanges its stream twice forward and twice backward, and twice more where it is made again. */
function tensorBytes(work: ClusterWork, layout: ClusterLayout): number {
  const { tensorParallel, pipelineParallel, passes } = layout;
  if (tensorParallel === 1) return 0;
  const times = work.gradientCheckpointing ? 6 : 4;
  const ring = (2 * (tensorParallel - 1)) / tensorParallel;
  const layers = work.layers / pipelineParallel;
  return passes * layers * times * ring * streamBytes(work, layout);
}

/**
 * Keys and values go round the GPUs of one sequence, forward once and backward twice, with their gradients
 * (https://arxiv.org/abs/2310.01889); of a host's GPUs the last of each ring sends to the next host.
 */
function contextTraffic(work: ClusterWork, layout: ClusterLayout, machine: ClusterMachine) {
  const { contextParallel = 1, tensorParallel, pipelineParallel, passes, gpusPerNode } = layout;
  const { keyValueNumbers = 0, microBatch, sequenceTokens, layers } = work;
  const times = work.gradientCheckpointing ? 4 : 3;
  const others = (contextParallel - 1) / contextParallel;
  const pass = (2 * keyValueNumbers * microBatch * sequenceTokens * others) / tensorParallel;
  const bytes = passes * (layers / pipelineParallel) * times * pass;
  const together = Math.max(1, gpusPerNode / tensorParallel);
  return contextParallel <= together
    ? timed({ kind: "context", over: "nvlink" }, bytes, machine)
    : timed({ kind: "context", over: "network" }, (bytes * gpusPerNode) / together, machine);
}

/** Each token goes to its experts and back, forward and backward, and once more where the layer is made again. */
function expertTraffic(work: ClusterWork, layout: ClusterLayout, machine: ClusterMachine) {
  const { expertParallel = 1, tensorParallel, pipelineParallel, passes, gpusPerNode } = layout;
  const times = work.gradientCheckpointing ? 6 : 4;
  const pass = ((work.experts?.perToken ?? 0) * streamBytes(work, layout)) / tensorParallel;
  const bytes = passes * (work.layers / pipelineParallel) * times * pass;
  const hosts = expertParallel / gpusPerNode;
  return hosts <= 1
    ? timed({ kind: "expert", over: "nvlink" }, bytes * (1 - 1 / expertParallel), machine)
    : timed({ kind: "expert", over: "network" }, bytes * gpusPerNode * (1 - 1 / hosts), machine);
}

/** Between the stages of a node's GPUs and those of the next: forward and backward, each GPU of a group its part. */
function pipelineBytes(work: ClusterWork, layout: ClusterLayout): number {
  const { tensorParallel, pipelineParallel, dataParallel, gpusPerNode } = layout;
  const { contextParallel = 1 } = layout;
  const withinNode = tensorParallel * contextParallel * dataParallel < gpusPerNode;
  if (pipelineParallel === 1 || layout.nodes === 1 || withinNode) return 0;
  const groups = gpusPerNode / tensorParallel;
  return 2 * layout.passes * layout.virtualStages * groups * streamBytes(work, layout);
}

/** Bytes that go round the data-parallel GPUs, of one GPU's part of the model. */
function dataBytes(work: ClusterWork, layout: ClusterLayout): number {
  const { parameters, trainedParameters, weightsSharded, experts } = work;
  const { tensorParallel, pipelineParallel, expertParallel = 1 } = layout;
  const parts = tensorParallel * pipelineParallel;
  const gradients = trainedParameters * gradientBytes;
  if (!weightsSharded) {
    const ofExperts = experts?.trainedParameters ?? 0;
    const held = (trainedParameters - ofExperts) / parts;
    return (held + ofExperts / expertParallel / pipelineParallel) * (gradientBytes + weightBytes);
  }
  // Gathered forward and again backward, and the gradients of each pass handed out.
  return (layout.passes * (2 * parameters * weightBytes + gradients)) / parts;
}

/** What of it leaves a node: the GPUs of a node that are of one group send it once. */
function dataTraffic(work: ClusterWork, layout: ClusterLayout, machine: ClusterMachine) {
  const { dataParallel, gpusPerNode, tensorParallel, contextParallel = 1 } = layout;
  // The GPUs of one sequence hold the same parameters, too.
  const alike = dataParallel * contextParallel;
  const together = Math.min(alike, gpusPerNode / tensorParallel);
  const nodes = alike / together;
  const bytes = dataBytes(work, layout);
  if (nodes > 1) {
    const groups = gpusPerNode / together;
    return timed({ kind: "data", over: "network" }, bytes * groups * (1 - 1 / nodes), machine);
  }
  const ring = machine.nvlink ? 1 - 1 / together : 0;
  return timed({ kind: "data", over: "nvlink" }, bytes * ring, machine);
}

/** What crosses between GPUs in one step, without what nothing crosses for. */
export function trafficOf(
  work: ClusterWork,
  layout: ClusterLayout,
  machine: ClusterMachine,
): readonly Traffic[] {
  return [
    timed({ kind: "tensor", over: "nvlink" }, tensorBytes(work, layout), machine),
    contextTraffic(work, layout, machine),
    expertTraffic(work, layout, machine),
    timed({ kind: "pipeline", over: "network" }, pipelineBytes(work, layout), machine),
    dataTraffic(work, layout, machine),
  ].filter((each) => each !== undefined);
}
