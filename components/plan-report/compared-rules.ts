import type { Job } from "../sizing/job.ts";
import { gpusOf, type MemoryDemand, type PartName } from "../sizing/memory-part.ts";
import {
  cacheBytes,
  otherRules,
  type OtherRule,
  type RuleQuestion,
} from "../sizing/other-rules.ts";
import { gib } from "../plan-figures.ts";

/** What another rule says of the same job, and what ours has besides. */
export interface ComparedRule {
  readonly rule: OtherRule["name"];
  /** Of all GPUs together. */
  readonly gib: number;
  /** Ours, of all GPUs together. */
  readonly oursGiB: number;
  readonly why: string;
}

const gibi = 1024 ** 3;

function questionOf(job: Job, gpus: number): RuleQuestion {
  const { model } = job;
  if (job.task === "serve") {
    const { precision, contextTokens, concurrency } = job.workload;
    return { model, precision, contextTokens, concurrency, method: undefined, gpus };
  }
  const { method, precision, quantisation = "nf4-double" } = job.workload;
  const held = method === "qlora" ? quantisation : precision === "fp32" ? "fp32" : "bf16";
  return { model, precision: held, contextTokens: 0, concurrency: 1, method, gpus };
}

/** GiB that the parts of a demand take on all its GPUs. */
function takenBy(demand: MemoryDemand) {
  const gpus = gpusOf(demand);
  const of = (...names: readonly PartName[]) =>
    demand.parts
      .filter(({ name }) => names.includes(name))
      .reduce((sum, { mib }) => sum + (mib * gpus) / 1024, 0);
  const weights = of("weights");
  const cache = of("kv-cache");
  const learning = of("gradients", "optimizer", "adapters");
  const all = (demand.totalMiB * gpus) / 1024;
  return { weights, cache, learning, rest: all - weights - cache - learning, all };
}

type Taken = ReturnType<typeof takenBy>;

function amount(figure: number): string {
  return gib(figure * 1024);
}

function whyServing(
  rule: OtherRule["name"],
  { weights, cache, rest }: Taken,
  ruleCacheGiB: number,
): string {
  const engine = `${amount(rest)} of activations and engine`;
  if (rule === "weights x 1.2") {
    return `a fifth of the weights stands for ${amount(cache)} of cache and ${engine}`;
  }
  if (rule === "accelerate") return `without ${amount(cache)} of cache and ${engine}`;
  const ours = `ours ${amount(cache)}, and weights of ${amount(weights)} as the engine holds them`;
  const cacheText = `its cache is ${amount(ruleCacheGiB)}, ${ours}`;
  return rule === "KAITO"
    ? `2.3 GiB a GPU and 5 % of the weights stand for ${engine}; ${cacheText}`
    : `without ${engine}; ${cacheText}`;
}

function whyTraining(rule: OtherRule["name"], method: string, taken: Taken): string {
  const { learning, rest } = taken;
  const others = `${amount(rest)} of activations, logits and engine`;
  const states = `${amount(learning)} of gradients, moments and adapters`;
  if (method === "full") return `states alone; ours has ${others}, and ${states} as they are held`;
  return rule === "accelerate"
    ? `every weight is taken to learn, in 16 bit; ours has ${states} and ${others}`
    : `the frozen weights alone; ours has ${states} and ${others}`;
}

/** What other tools would say of the job, and why it is another figure; none of an image model, for which they have no rule. */
export function comparedRules(job: Job, demand: MemoryDemand): readonly ComparedRule[] {
  if (job.model.task === "image-generation") return [];
  const question = questionOf(job, gpusOf(demand));
  const taken = takenBy(demand);
  return otherRules.flatMap(({ name, bytes }) => {
    const said = bytes(question);
    if (said === undefined) return [];
    const { method } = question;
    const why =
      method === undefined
        ? whyServing(name, taken, cacheBytes(question) / gibi)
        : whyTraining(name, method, taken);
    return [{ rule: name, gib: said / gibi, oursGiB: taken.all, why }];
  });
}
