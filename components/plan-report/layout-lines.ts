import { figure, rangeText, timeText } from "../plan-figures.ts";
import type { LayoutReport, Rung } from "./report.ts";

const shardingNames: Readonly<Record<string, string>> = {
  none: "a whole copy on each GPU",
  fsdp: "FSDP",
  "zero-1": "DeepSpeed ZeRO 1",
  "zero-2": "DeepSpeed ZeRO 2",
  "zero-3": "DeepSpeed ZeRO 3",
};

function gpusText({ nodes, gpusPerNode }: LayoutReport): string {
  const gpus = `${nodes * gpusPerNode} GPUs`;
  return nodes === 1 ? gpus : `${gpus} of ${nodes} hosts`;
}

/** Over how many GPUs, and by what: "Megatron-LM: tensor 4 x pipeline 4 x data 2 over 32 GPUs of 4 hosts". */
export function splitText(layout: LayoutReport): string {
  const { tensorParallel, pipelineParallel, dataParallel, virtualStages, sharding } = layout;
  const { contextParallel, expertParallel } = layout;
  if (layout.framework === "hugging-face") {
    return `${shardingNames[sharding] ?? sharding} over ${gpusText(layout)}`;
  }
  const groups = virtualStages === 1 ? "" : ` (${virtualStages} groups of layers each)`;
  const context = contextParallel === 1 ? "" : ` x context ${contextParallel}`;
  const experts = expertParallel === 1 ? "" : `, experts over ${expertParallel} of them each`;
  return `Megatron-LM: tensor ${tensorParallel}${context} x pipeline ${pipelineParallel}${groups} x data ${dataParallel} over ${gpusText(layout)}${experts}`;
}

/** How many sequences make a step: "16 sequences a step: 8 passes of 1 x 2". */
export function batchText({ globalBatch, passes, microBatch, dataParallel }: LayoutReport): string {
  const many = passes === 1 ? "1 pass" : `${passes} passes`;
  return `${globalBatch} sequences a step (${many} of ${microBatch} x ${dataParallel})`;
}

function activationsText({ gradientCheckpointing }: LayoutReport): string {
  return gradientCheckpointing ? "activations made again" : "activations kept";
}

function network({ step }: LayoutReport): string {
  const crossing = (step?.traffic ?? []).filter(({ over }) => over === "network");
  if (crossing.length === 0) return "";
  const gigabytes = crossing.reduce((sum, each) => sum + each.gigabytes, 0);
  return `, ${figure(gigabytes)} GB in and out of each host`;
}

function idle({ step, pipelineParallel }: LayoutReport): string {
  if (step === undefined || pipelineParallel === 1) return "";
  return `, the pipeline idle for ${figure(step.bubble * 100)} % of the arithmetic`;
}

/** How a training is laid out, as label and text; nothing for one GPU. */
export function layoutTexts({
  layout,
  instanceType,
}: Rung): readonly (readonly [string, string])[] {
  if (layout === undefined || layout.nodes * layout.gpusPerNode === 1) return [];
  const { nodes, networkGbps, step } = layout;
  const split = `${splitText(layout)}; ${batchText(layout)}; ${activationsText(layout)}`;
  const rate = networkGbps === undefined ? "" : `, ${figure(networkGbps)} Gbps each`;
  const hosts = `${nodes} x ${instanceType} in one cluster placement group, over EFA${rate}`;
  const stepText =
    step &&
    `${rangeText(step.stepSeconds, timeText)} for ${figure(step.tokensPerStep)} tokens${idle(layout)}${network(layout)}`;
  return [
    ["split", split],
    ...(nodes === 1 ? [] : ([["hosts", hosts]] as const)),
    ...(stepText === undefined ? [] : ([["a step", stepText]] as const)),
  ];
}

const kindNames = {
  tensor: "of the tensor-parallel groups",
  context: "of keys and values along a sequence",
  expert: "of tokens to their experts",
  pipeline: "between stages",
  data: "of gradients and weights",
} as const;

/** The arithmetic behind a step: what is computed, what waits, and what crosses between the GPUs. */
export function stepLines({ layout }: Rung): readonly string[] {
  const step = layout?.step;
  if (layout === undefined || step === undefined) return [];
  const { pipelineParallel, virtualStages, passes } = layout;
  const bubble =
    pipelineParallel === 1
      ? []
      : [
          `  idle pipeline: (${pipelineParallel} stages - 1) / (${passes} passes x ${virtualStages}) = ${(step.bubble * 100).toFixed(1)} % of it`,
        ];
  const traffic = step.traffic.map(({ kind, over, gigabytes, seconds }) => {
    const each = over === "network" ? "a host over the network" : "a GPU over NVLink";
    return `  ${kindNames[kind]}: ${figure(gigabytes)} GB each way of ${each}, ${rangeText(seconds, timeText)} when nothing hides it`;
  });
  return [
    `a step of ${figure(step.tokensPerStep)} tokens = arithmetic ${rangeText(step.computeSeconds, timeText)}; fast with all traffic behind it, slow with none:`,
    ...bubble,
    ...traffic,
    `  in all: ${rangeText(step.stepSeconds, timeText)}`,
  ];
}
