import { stringify } from "yaml";
import type { FinetunePlan } from "./finetune-plan.ts";

/** Names of the folder's files, as the others refer to them. */
export const jobFiles = {
  train: "data/train.jsonl",
  validation: "data/validation.jsonl",
  output: "output",
  deepspeed: "deepspeed.json",
  fsdp: "fsdp.json",
} as const;

/** What is known of the data when the settings are written. */
export interface JobData {
  readonly trainSamples: number;
  readonly validationSamples: number;
  /** Kind of the samples in words: text, messages, or prompt and completion. @default not known */
  readonly schema?: string | undefined;
}

type Settings = Readonly<Record<string, string | number | boolean | null>>;

const torchNames = { bf16: "bfloat16", fp16: "float16", fp32: "float32" } as const;

function usesZero({ workload }: FinetunePlan): boolean {
  return workload.sharding?.startsWith("zero") ?? false;
}

/** Number format of the weights in memory: 32-bit masters for mixed precision, DeepSpeed keeps its own. */
export function weightsDtype(plan: FinetunePlan): string {
  const { workload, arithmetic } = plan;
  const masters = workload.method === "full" && workload.precision === "amp" && !usesZero(plan);
  return masters ? "float32" : torchNames[arithmetic];
}

/**
 * Number format of adapters. ZeRO 3 gathers parameters of one format only
 * (https://github.com/huggingface/trl/issues/6089).
 */
function adapterDtype(plan: FinetunePlan): string {
  const { workload, arithmetic } = plan;
  const narrow = workload.precision === "bf16" || workload.sharding === "zero-3";
  return narrow ? torchNames[arithmetic] : "float32";
}

/** Names of transformers' OptimizerNames. */
const optimizers = {
  adamw: "adamw_torch_fused",
  "adamw-8bit": "adamw_bnb_8bit",
  adafactor: "adafactor",
  sgd: "sgd",
} as const;

function modelSettings(plan: FinetunePlan): Settings {
  const { workload, baseModel, loraRank } = plan;
  const { method, quantisation = "nf4-double" } = workload;
  const common = { base_model: baseModel, method, weights_dtype: weightsDtype(plan) };
  if (method === "full") return common;
  return {
    ...common,
    adapter_dtype: adapterDtype(plan),
    lora_rank: loraRank,
    lora_alpha: 2 * loraRank,
    lora_dropout: 0.05,
    lora_target_modules: "all-linear",
    ...(method === "qlora" ? { quantisation } : {}),
  };
}

function dataSettings(plan: FinetunePlan, data: JobData): Settings {
  const validated = data.validationSamples > 0;
  return {
    train_file: jobFiles.train,
    ...(validated ? { validation_file: jobFiles.validation, eval_strategy: "epoch" } : {}),
    max_length: plan.workload.sequenceTokens,
    seed: plan.seed,
  };
}

function stepSettings(plan: FinetunePlan): Settings {
  const { workload, batch, arithmetic, learningRate, epochs } = plan;
  return {
    num_train_epochs: epochs,
    per_device_train_batch_size: batch.microBatch,
    per_device_eval_batch_size: batch.microBatch,
    gradient_accumulation_steps: batch.gradientAccumulation,
    learning_rate: learningRate,
    lr_scheduler_type: "cosine",
    warmup_steps: 0.03,
    weight_decay: 0,
    max_grad_norm: 1,
    optim: optimizers[workload.optimizer],
    bf16: arithmetic === "bf16",
    fp16: arithmetic === "fp16",
  };
}

/** FSDP makes activations again itself, without gathering the weights twice; with it the Trainer must not. */
function shardingSettings({ workload }: FinetunePlan): Settings {
  const { sharding = "none", gradientCheckpointing } = workload;
  if (sharding === "fsdp") {
    return { fsdp: true, fsdp_config: jobFiles.fsdp, gradient_checkpointing: false };
  }
  const zero = sharding === "none" ? {} : { deepspeed: jobFiles.deepspeed };
  return { ...zero, gradient_checkpointing: gradientCheckpointing };
}

function keepingSettings({ checkpointMinutes }: FinetunePlan): Settings {
  return {
    output_dir: jobFiles.output,
    save_strategy: "epoch",
    checkpoint_minutes: checkpointMinutes,
    save_total_limit: 2,
    logging_steps: 1,
    report_to: "none",
  };
}

/** PyYAML reads a number with an exponent as text unless it has a point (https://yaml.org/type/float.html). */
function settingLine([name, value]: readonly [string, Settings[string]]): string {
  if (typeof value !== "number") return stringify({ [name]: value });
  const digits = String(value);
  return `${name}: ${digits.replace(/^(-?\d+)e/, "$1.0e")}\n`;
}

/** Text of `training.yaml`: every argument that train.py is run with. */
export function trainingSettings(plan: FinetunePlan, data: JobData): string {
  const parts: readonly (readonly [string, Settings])[] = [
    ["Model", modelSettings(plan)],
    ["Data", dataSettings(plan, data)],
    ["Steps", stepSettings(plan)],
    ["Memory", shardingSettings(plan)],
    ["What is kept", keepingSettings(plan)],
  ];
  return parts
    .map(([title, settings]) =>
      [`# ${title}\n`, ...Object.entries(settings).map(settingLine)].join(""),
    )
    .join("\n");
}
