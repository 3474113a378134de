import { dollars, gib, rangeText, timeText, usd } from "../plan-figures.ts";
import { gpus } from "./batch-plan.ts";
import type { FinetunePlan } from "./finetune-plan.ts";

function line(label: string, text: string): string {
  return `${label.padEnd(11)}${text}`;
}

function timeLine({ jobHours, jobUsd, machine }: FinetunePlan): string {
  const { purchase, hourlyUsd, priceAsOf } = machine;
  const most = purchase === "spot" ? "at most " : "";
  const hour = `${most}${usd(hourlyUsd)} an hour (${purchase}, ${priceAsOf})`;
  if (jobHours === undefined || jobUsd === undefined) {
    return line("price", `${hour}; how long it takes is not known for this GPU`);
  }
  const seconds = { low: jobHours.low * 3600, high: jobHours.high * 3600 };
  return line(
    "price",
    `${rangeText(seconds, timeText)} of computing, ${most}${rangeText(jobUsd, dollars)}; ${hour}`,
  );
}

/** The groups of GPUs of Megatron-LM; undefined where the Trainer shares states out. */
export function layoutText({ layout }: FinetunePlan): string | undefined {
  const { framework, tensorParallel, pipelineParallel, dataParallel, virtualStages } = layout;
  const { contextParallel, expertParallel } = layout;
  if (framework !== "megatron") return undefined;
  const groups = virtualStages === 1 ? "" : ` (${virtualStages} groups of layers each)`;
  const context = contextParallel === 1 ? "" : ` x context ${contextParallel}`;
  const experts = expertParallel === 1 ? "" : `, experts over ${expertParallel}`;
  return `Megatron-LM, tensor ${tensorParallel}${context} x pipeline ${pipelineParallel}${groups} x data ${dataParallel}${experts}`;
}

/** What a person is told of a fine-tuning. */
export function jobLines(plan: FinetunePlan): readonly string[] {
  const { workload, batch, machine, memory, software } = plan;
  const { sharding = "none", offload = "none" } = workload;
  const shared = [sharding, ...(offload === "none" ? [] : [`${offload} on the host`])].join(", ");
  const again = workload.gradientCheckpointing ? "checkpointed" : "kept";
  return [
    line("model", `${plan.baseModel} (licence ${plan.licence}${plan.gated ? ", gated" : ""})`),
    line(
      "method",
      `${workload.method} in ${plan.arithmetic}; ${layoutText(plan) ?? `sharding ${shared}`}; activations ${again}`,
    ),
    line(
      "batch",
      `${batch.microBatch} x ${batch.gradientAccumulation} passes x ${gpus(batch.worldSize)} = ${batch.globalBatch} sequences of ${workload.sequenceTokens} tokens a step`,
    ),
    line(
      "machine",
      `${machine.nodes === 1 ? "" : `${machine.nodes} x `}${machine.instanceType}: ${machine.gpuCount} x ${machine.gpuModel}, ${gib(memory.neededMiB)} of ${gib(memory.usableMiB)} each (${machine.region})`,
    ),
    timeLine(plan),
    line("software", `PyTorch ${software.pytorch} with CUDA ${software.cuda}`),
  ];
}
