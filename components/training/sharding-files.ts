import type { FinetunePlan } from "./finetune-plan.ts";
import { jobFiles } from "./training-settings.ts";

/** A file of the folder. */
export interface JobFile {
  readonly path: string;
  readonly text: string;
  readonly executable?: boolean | undefined;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Settings of PyTorch's FSDP 2, by transformers' names (`TrainingArguments.fsdp_config`). */
function fsdpConfig({ workload }: FinetunePlan) {
  const { offload = "none", gradientCheckpointing } = workload;
  return {
    version: 2,
    auto_wrap_policy: "TRANSFORMER_BASED_WRAP",
    reshard_after_forward: true,
    activation_checkpointing: gradientCheckpointing,
    // One rank reads the weights and sends them on: the host holds them once, not once for each GPU.
    cpu_ram_efficient_loading: workload.method !== "qlora",
    cpu_offload: offload !== "none",
    // Whole and readable by every library; sharded checkpoints would be read by as many GPUs only.
    state_dict_type: "FULL_STATE_DICT",
  };
}

const onHost = { device: "cpu", pin_memory: true };

/** DeepSpeed's settings; "auto" is filled in from training.yaml (https://www.deepspeed.ai/docs/config-json/). */
function deepspeedConfig({ workload, arithmetic }: FinetunePlan) {
  const { sharding = "none", offload = "none" } = workload;
  const stage = Number(sharding.slice("zero-".length));
  return {
    train_micro_batch_size_per_gpu: "auto",
    gradient_accumulation_steps: "auto",
    gradient_clipping: "auto",
    bf16: { enabled: arithmetic === "bf16" },
    fp16: { enabled: arithmetic === "fp16" },
    zero_optimization: {
      stage,
      overlap_comm: true,
      contiguous_gradients: true,
      ...(offload === "none" ? {} : { offload_optimizer: onHost }),
      ...(offload === "optimizer-and-weights" ? { offload_param: onHost } : {}),
      ...(stage === 3 ? { stage3_gather_16bit_weights_on_model_save: true } : {}),
    },
    // The optimiser of training.yaml steps on the host too: DeepSpeed's own has to be compiled there.
    ...(offload === "none" ? {} : { zero_force_ds_cpu_optimizer: false }),
  };
}

/** How the states are shared out over the GPUs; nothing where they are not. */
export function shardingFiles(plan: FinetunePlan): readonly JobFile[] {
  const { sharding = "none" } = plan.workload;
  if (sharding === "none") return [];
  if (sharding === "fsdp") return [{ path: jobFiles.fsdp, text: json(fsdpConfig(plan)) }];
  return [{ path: jobFiles.deepspeed, text: json(deepspeedConfig(plan)) }];
}
