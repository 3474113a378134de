import { dollars, figure, gib, rangeText, timeText, usd } from "../plan-figures.ts";
import { gpus } from "./batch-plan.ts";
import { layoutText } from "./job-text.ts";
import type { FinetunePlan } from "./finetune-plan.ts";
import { runSection } from "./run-section.ts";
import type { JobData } from "./training-settings.ts";

const methods = {
  full: "every weight",
  lora: "LoRA adapters over frozen 16-bit weights",
  qlora: "LoRA adapters over frozen weights of 4 bit",
} as const;

function timeAndPrice({ jobHours, jobUsd, machine, datasetTokens, epochs }: FinetunePlan): string {
  const { hourlyUsd, priceAsOf, purchase } = machine;
  const most = purchase === "spot" ? "at most " : "";
  const hour = `${most}${usd(hourlyUsd)} an hour with volume and address (${purchase}, ${priceAsOf})`;
  if (jobHours === undefined || jobUsd === undefined) {
    return `${hour}; how long it takes is not known for this GPU.`;
  }
  const seconds = { low: jobHours.low * 3600, high: jobHours.high * 3600 };
  const seen = `${figure((datasetTokens * epochs) / 1e6)} M tokens`;
  return `${rangeText(seconds, timeText)} of computing for ${seen}, ${most}${rangeText(jobUsd, dollars)} in all; ${hour}.`;
}

function shared(plan: FinetunePlan): string {
  const { workload, batch } = plan;
  const groups = layoutText(plan);
  const { sharding = "none", offload = "none", gradientCheckpointing } = workload;
  const names = {
    none: batch.worldSize > 1 ? "a whole copy on each GPU" : "one GPU",
    fsdp: "FSDP 2 over all GPUs (fsdp.json)",
    "zero-1": "DeepSpeed ZeRO 1 (deepspeed.json)",
    "zero-2": "DeepSpeed ZeRO 2 (deepspeed.json)",
    "zero-3": "DeepSpeed ZeRO 3 (deepspeed.json)",
  } as const;
  const host = offload === "none" ? "" : `, ${offload.replaceAll("-", " ")} in the host's memory`;
  const again = gradientCheckpointing ? "made again in the backward pass" : "kept";
  return `${groups ?? names[sharding]}${host}; activations are ${again}`;
}

/** Text of the folder's `README.md`: what it does, what it costs, and how it is run by hand. */
export function readmePage(plan: FinetunePlan, data: JobData): string {
  const { workload, batch, machine, memory, software, layout } = plan;
  const { microBatch, gradientAccumulation, worldSize, globalBatch } = batch;
  const gated = plan.gated ? "; gated, so HF_TOKEN has to be set" : "";
  const lines = [
    `model: ${plan.baseModel} (licence ${plan.licence}${gated})`,
    `trained: ${methods[workload.method]}, in ${plan.arithmetic}`,
    `data: ${data.trainSamples} samples, ${data.validationSamples} more to validate; ${workload.sequenceTokens} tokens of each at most`,
    `batch: ${microBatch} x ${gradientAccumulation} passes x ${gpus(worldSize)} = ${globalBatch} samples a step`,
    `memory: ${gib(memory.neededMiB)} of ${gib(memory.usableMiB)} on each GPU; ${shared(plan)}`,
    `machine: ${machine.nodes === 1 ? "" : `${machine.nodes} x `}${machine.instanceType}, ${machine.gpuCount} x ${machine.gpuModel}, ${plan.rootVolumeGiB} GiB of disk (${machine.region})`,
    `time and price: ${timeAndPrice(plan)}`,
    `software: PyTorch ${software.pytorch} with CUDA ${software.cuda}, driver ${software.minLinuxDriver ?? "of its own"} or newer, Python ${layout.framework === "megatron" ? "3.12" : "3.11 to 3.14"}`,
  ];
  return `# ${plan.modelId}, ${workload.method}

${lines.map((line) => `- ${line}`).join("\n")}

The figures are estimates of berth's catalogue of ${plan.catalogueVersion}.

${runSection(plan)}`;
}
