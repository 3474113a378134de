import { stringify } from "yaml";
import { middle } from "../range.ts";
import { UserError } from "../user-error.ts";
import type { FinetunePlan } from "./finetune-plan.ts";
import type { JobData } from "./training-settings.ts";

/** Settings by section, as Megatron Bridge names its classes and their fields. */
export type MegatronFile = Readonly<Record<string, Readonly<Record<string, unknown>> | string>>;

function modelSection(plan: FinetunePlan): Readonly<Record<string, unknown>> {
  const { layout, workload } = plan;
  const { tensorParallel, pipelineParallel, virtualStages, tablesAsLayers } = layout;
  const { contextParallel, expertParallel, wholeExperts } = layout;
  const again = {
    recompute_granularity: "full",
    recompute_method: "uniform",
    recompute_num_layers: 1,
  };
  const counted = {
    account_for_embedding_in_pipeline_split: true,
    account_for_loss_in_pipeline_split: true,
  };
  // A GPU may hold none of a sequence's tokens that count, so that the loss is by token and not by GPU.
  const context = { context_parallel_size: contextParallel, calculate_per_token_loss: true };
  // Left out, experts would be divided over a tensor-parallel group too, by another count of their states.
  const experts = { expert_model_parallel_size: expertParallel, expert_tensor_parallel_size: 1 };
  return {
    seq_length: workload.sequenceTokens,
    tensor_model_parallel_size: tensorParallel,
    sequence_parallel: tensorParallel > 1,
    pipeline_model_parallel_size: pipelineParallel,
    ...(contextParallel === 1 ? {} : context),
    ...(wholeExperts ? experts : {}),
    virtual_pipeline_model_parallel_size: virtualStages === 1 ? null : virtualStages,
    ...(tablesAsLayers ? counted : {}),
    should_pad_vocab: true,
    ...(workload.gradientCheckpointing ? again : {}),
  };
}

/** Steps between two checkpoints, by the time of a step in the middle of its range. */
function saveInterval({ layout, checkpointMinutes }: FinetunePlan): number {
  if (layout.stepSeconds === undefined) return 100;
  return Math.max(1, Math.round((checkpointMinutes * 60) / middle(layout.stepSeconds)));
}

/** The optimiser and how its states and gradients are shared out: as the plan has weighed them. */
function optimizerSections({ learningRate, layout }: FinetunePlan) {
  return {
    optimizer: {
      optimizer: "adam",
      lr: learningRate,
      min_lr: 0,
      weight_decay: 0,
      clip_grad: 1,
      bf16: true,
      use_distributed_optimizer: true,
    },
    scheduler: { lr_decay_style: "cosine", lr_warmup_fraction: 0.03 },
    ddp: {
      use_distributed_optimizer: true,
      grad_reduce_in_fp32: true,
      overlap_grad_reduce: true,
      overlap_param_gather: true,
      check_for_nan_in_grad: true,
      ...(layout.contextParallel === 1 ? {} : { average_in_collective: false }),
    },
  };
}

/** The adapters, which Megatron Bridge puts on its fused matrices; nothing where every weight learns. */
function adapterSection({ workload, loraRank }: FinetunePlan) {
  if (workload.method === "full") return {};
  const modules = ["linear_qkv", "linear_proj", "linear_fc1", "linear_fc2"];
  return { peft: { target_modules: modules, dim: loraRank, alpha: 2 * loraRank } };
}

function keepingSections(every: number) {
  return {
    checkpoint: {
      pretrained_checkpoint: "output/base",
      save: "output/checkpoints",
      load: "output/checkpoints",
      save_interval: every,
      most_recent_k: 2,
      ckpt_format: "torch_dist",
      fully_parallel_save: true,
    },
    logger: { log_interval: 1, log_throughput: true, tensorboard_dir: "output/tensorboard" },
  };
}

/** What train_megatron.py calls the kinds of samples that Megatron Bridge reads. */
const readKinds: ReadonlyMap<string, string> = new Map([
  ["messages", "messages"],
  ["prompt and completion", "prompt-completion"],
]);

/** @throws UserError when the samples are of a kind that Megatron Bridge does not read */
function sampleKind({ schema = "messages" }: JobData): string {
  const kind = readKinds.get(schema);
  if (kind !== undefined) return kind;
  throw new UserError(`Samples of ${schema} are not read by Megatron Bridge.`, {
    hint: "Give prompts and completions of text, or messages; or add --framework hugging-face.",
  });
}

/**
 * What `megatron.yaml` says.
 *
 * @throws UserError when the samples are of a kind that Megatron Bridge does not read
 */
export function megatronFile(plan: FinetunePlan, data: JobData): MegatronFile {
  const { batch, workload, epochs, seed } = plan;
  const every = saveInterval(plan);
  const validated = data.validationSamples > 0;
  return {
    base_model: plan.baseModel,
    samples: sampleKind(data),
    mixed_precision: "bf16_mixed",
    model: modelSection(plan),
    train: {
      num_epochs: epochs,
      micro_batch_size: batch.microBatch,
      global_batch_size: batch.globalBatch,
      exit_signal_handler: true,
    },
    validation: {
      eval_interval: every,
      eval_iters: validated ? Math.ceil(data.validationSamples / batch.globalBatch) : 0,
    },
    ...optimizerSections(plan),
    ...adapterSection(plan),
    dataset: {
      dataset_root: "data",
      seq_length: workload.sequenceTokens,
      seed,
      do_validation: validated,
      do_test: false,
    },
    tokenizer: { tokenizer_type: "HuggingFaceTokenizer" },
    ...keepingSections(every),
    rng: { seed },
  };
}

/** PyYAML reads a number with an exponent as text unless it has a point (https://yaml.org/type/float.html). */
function withPoint(text: string): string {
  return text.replaceAll(/: (-?\d+)e(-?\d+)$/gm, ": $1.0e$2");
}

/** Text of `megatron.yaml`. */
export function megatronSettings(plan: FinetunePlan, data: JobData): string {
  const head =
    "# By the names of Megatron Bridge 0.6.2: each section is one of its classes (train: TrainingConfig, ...).\n";
  return head + withPoint(stringify(megatronFile(plan, data)));
}
