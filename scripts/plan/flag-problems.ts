import { plannedMarkets } from "../../components/plan.ts";
import type { PlanOptions } from "./plan-flags.ts";

/** Options whose name in a request is another one than the flag's. */
const requestNames: ReadonlyMap<string, keyof PlanOptions> = new Map([
  ["instanceTypes", "types"],
  ["sequenceTokens", "sequence"],
  ["microBatch", "batch"],
  ["datasetTokens", "tokens"],
]);

function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * A problem of a request by the flag that was typed: "microBatch: 0 is ..." becomes "--batch: 0 is ...". One whose value came
 * from elsewhere, such as the stack's file, keeps its name.
 */
export function byFlag(problem: string, options: PlanOptions): string {
  const [name = ""] = problem.split(":", 1);
  const option = requestNames.get(name) ?? name;
  const typed = Object.hasOwn(options, option);
  return typed ? `${flagOf(option)}${problem.slice(name.length)}` : problem;
}

const ofTraining = [
  "trainingPrecision",
  "optimizer",
  "sequence",
  "batch",
  "sharding",
  "offload",
  "loraRank",
  "tokens",
  "epochs",
  "globalBatch",
  "framework",
  "tensorParallel",
  "pipelineParallel",
  "contextParallel",
  "expertParallel",
] as const satisfies readonly (keyof PlanOptions)[];

const ofServing = [
  "context",
  "concurrency",
  "promptTokens",
  "answerTokens",
  "imageSteps",
  "precision",
] as const satisfies readonly (keyof PlanOptions)[];

/** Flags of the other kind of task, which would be passed over in silence. */
function ofOtherTask(options: PlanOptions): readonly string[] {
  const { method, task = method === undefined ? "serve" : "finetune", checkpointing } = options;
  const serving = task === "serve";
  const others = serving ? ofTraining : ofServing;
  const kind = serving ? "of a training; add --task finetune or train" : "of a server, and not of";
  const what = serving ? kind : `${kind} --task ${task}`;
  return [
    ...others
      .filter((name) => options[name] !== undefined)
      .map((name) => `${flagOf(name)}: is ${what}`),
    ...(serving && checkpointing === false ? [`--no-checkpointing: is ${what}`] : []),
    ...(serving && method !== undefined ? [`--method: is ${what}`] : []),
  ];
}

/** Pairs of which one alone can be meant. */
function contradictions(options: PlanOptions): readonly string[] {
  const { market, onDemand, spot, gpus, local, sagemakerOnly, target } = options;
  const { electricityUsdPerKwh } = options;
  const bought = [
    ...(market === undefined ? [] : [`--market ${market}`]),
    ...(onDemand === true ? ["--on-demand"] : []),
    ...(spot === undefined ? [] : [spot ? "--spot" : "--no-spot"]),
  ];
  const own = gpus !== undefined && local === true;
  const same = market === undefined && spot === false;
  return [
    ...(bought.length > 1 && !same ? [`${bought.join(", ")}: one of them alone`] : []),
    ...(own ? ["--gpus, --local: one of them alone"] : []),
    ...(electricityUsdPerKwh !== undefined && gpus === undefined && local !== true
      ? ["--electricity-usd-per-kwh: is of your own GPUs; add --gpus or --local"]
      : []),
    ...(sagemakerOnly === true && target === "ec2"
      ? ["--sagemaker-only, --target ec2: one of them alone"]
      : []),
  ];
}

/** What is none of the words that a flag takes. */
function unknownWords({ task, market }: PlanOptions): readonly string[] {
  const flags = [
    ["--task", task, ["serve", "finetune", "train"]],
    ["--market", market, plannedMarkets],
  ] as const;
  return flags.flatMap(([flag, word, known]) =>
    word === undefined || (known as readonly string[]).includes(word)
      ? []
      : [`${flag}: "${word}"; there are ${known.join(", ")}`],
  );
}

const lists = ["region", "zones", "types", "gpuFamily"] as const;

/** Lists with nothing in them, as an unset variable of a shell leaves behind. */
function emptyLists(options: PlanOptions): readonly string[] {
  return lists.flatMap((name) => {
    const empty = options[name]?.split(",").every((entry) => entry.trim() === "") === true;
    return empty ? [`${flagOf(name)}: names nothing; give a name, or leave it out`] : [];
  });
}

/** What the flags say wrong together, or in words that there are not. */
export function flagProblems(options: PlanOptions): readonly string[] {
  const unknown = unknownWords(options);
  const known = unknown.every((problem) => !problem.startsWith("--task"));
  const said = [...unknown, ...emptyLists(options), ...contradictions(options)];
  return [...said, ...(known ? ofOtherTask(options) : [])];
}
