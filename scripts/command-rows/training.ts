import { planning } from "./planning.ts";
import { engine, env, type CommandRow } from "./row.ts";

type FlagRows = CommandRow["flags"];

/** Flags of `plan` that mean the same here. */
function flagsOfPlan(...names: readonly string[]): FlagRows {
  const plan = planning.find(({ syntax }) => syntax.startsWith("plan "));
  return (plan?.flags ?? []).filter(([flag]) => names.includes(flag.split(" ", 1)[0] ?? ""));
}

/** What is done with training data. */
const datasetFlags: FlagRows = [
  ["--tokenizer <path>", "a tokenizer.json that counts the tokens, or a folder that has one"],
  ["--validation <share>", "share of the samples kept to validate, such as 0.05"],
  ["--seed <number>", "of the split and of the training (default: 42)"],
  ["--mask", "replace personal data by their kind, such as [email]"],
  ["--skip-broken", "leave out lines that are no sample"],
  ["--shown <count>", "problems of a kind that are shown (default: 10)"],
];

/** What teaches a model. */
export const training: readonly CommandRow[] = [
  {
    syntax: "dataset <action> [file]",
    summary: "check: what a .jsonl or .txt file has to learn from, and everything wrong with it",
    flags: [
      ["--model <model>", "of the catalogue, to say whether there are samples enough"],
      ["--sequence <tokens>", "tokens of a training sequence, to name longer samples"],
      ...datasetFlags,
      ["--out <folder>", "write train.jsonl and validation.jsonl there"],
    ],
    run: async (words, flags, terminal) =>
      (await import("../commands/dataset.ts")).runDataset(words, flags, terminal),
  },
  {
    syntax: "finetune [model]",
    summary: "write a folder that trains the model on your data: sized, priced, run by hand",
    flags: [
      env,
      ["--data <file>", ".jsonl or .txt, one sample a line"],
      ["--out <folder>", "where it is written (default: finetune/<model>)"],
      ["--base <path>", "where the model lies: owner/name on Hugging Face, or a folder"],
      ...datasetFlags,
      ["--learning-rate <rate>", "largest step size (default: by method and size)"],
      ["--checkpoint-minutes <minutes>", "between two checkpoints (default: 15)"],
      ["--force", "replace files of the folder that would change"],
      ...flagsOfPlan("--method", "--training-precision", "--optimizer", "--sequence", "--batch"),
      ...flagsOfPlan("--no-checkpointing", "--sharding", "--offload", "--lora-rank", "--epochs"),
      ...flagsOfPlan("--nodes", "--framework", "--tensor-parallel", "--pipeline-parallel"),
      ...flagsOfPlan("--context-parallel", "--expert-parallel", "--global-batch"),
      ...flagsOfPlan("--region", "--types", "--gpu-count", "--gpu-family", "--interconnect"),
      ...flagsOfPlan("--max-hourly-usd", "--budget-usd", "--quota"),
      ...flagsOfPlan("--spot", "--no-spot", "--on-demand", "--config"),
    ],
    run: async ([model], flags, terminal) =>
      (await import("../commands/finetune.ts")).runFinetune(model, flags as never, terminal),
  },
  {
    syntax: "train <action> <folder>",
    summary:
      "start, status, logs, stop or fetch: a folder of finetune, on the stack's host or as a SageMaker training job, until its lease ends",
    flags: [
      env,
      engine,
      [
        "--target <target>",
        "ec2, the stack's host, or sagemaker (default: where the folder was started last, else ec2)",
      ],
      ["--stop-server", "ec2: stop the model server meanwhile, whose GPUs the training takes"],
      [
        "--sync-minutes <minutes>",
        "start: between two looks for a new checkpoint to keep in S3; 0 keeps none (default: 15)",
      ],
      ["--checkpoint <step>", "fetch: the checkpoint of that step, where it is kept"],
      ["--hours <hours>", "sagemaker: longest that the job may take (default: the stack's lease)"],
      [
        "--shared-storage <place>",
        "start: a folder that all hosts have, such as /fsx, or for sagemaker a file system, such as fsx:fs-0123456789abcdef0:/mount/runs",
      ],
      ["--instances <count>", "sagemaker: instances that train together (default: as planned)"],
      ["--spot", "sagemaker: managed spot (default: as the folder was planned)"],
      ["--on-demand", "sagemaker: no spot capacity"],
      [
        "--keep-warm <minutes>",
        "sagemaker: keep the instances for a next job after the end, at their price (default: 0)",
      ],
      ["--image <address>", "sagemaker: an image of your own with PyTorch (default: AWS's)"],
    ],
    run: async (words, flags, terminal) =>
      (await import("../commands/train.ts")).runTrain(words, flags as never, terminal),
  },
];
