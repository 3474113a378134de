import { pricedRegions } from "../../components/pricing/region-prices.ts";
import { UserError } from "../../components/user-error.ts";
import type { PlanRequest, QuotaVcpus } from "../../components/sizing/plan-request.ts";
import type { NodeRange } from "../../components/sizing/parallel/weigh-hosts.ts";
import type { TrainingRequest } from "../../components/sizing/training-request.ts";
import { flagProblems } from "./flag-problems.ts";

/** Flags of `berth plan`; each wins over the stack's file. */
export interface PlanOptions {
  readonly env: string;
  readonly task?: string;
  readonly target?: string;
  readonly region?: string;
  readonly zones?: string;
  readonly context?: string;
  readonly concurrency?: string;
  readonly promptTokens?: string;
  readonly answerTokens?: string;
  readonly imageSteps?: string;
  readonly imageSize?: string;
  readonly trainTextEncoder?: boolean;
  readonly precision?: string;
  readonly method?: string;
  readonly trainingPrecision?: string;
  readonly optimizer?: string;
  readonly sequence?: string;
  readonly batch?: string;
  readonly checkpointing?: boolean;
  readonly sharding?: string;
  readonly offload?: string;
  readonly loraRank?: string;
  readonly tokens?: string;
  readonly epochs?: string;
  readonly globalBatch?: string;
  readonly nodes?: string;
  readonly framework?: string;
  readonly tensorParallel?: string;
  readonly pipelineParallel?: string;
  readonly contextParallel?: string;
  readonly expertParallel?: string;
  readonly types?: string;
  readonly gpuCount?: string;
  readonly gpuFamily?: string;
  readonly arch?: string;
  readonly interconnect?: string;
  readonly maxHourlyUsd?: string;
  readonly budgetUsd?: string;
  readonly quota?: string;
  readonly sagemakerOnly?: boolean;
  readonly monthlyHours?: string;
  readonly leaseHours?: string;
  readonly spot?: boolean;
  readonly market?: string;
  readonly spotMaxHourlyUsd?: string;
  readonly onDemand?: boolean;
  readonly config?: string;
  readonly gpus?: string;
  readonly local?: boolean;
  readonly electricityUsdPerKwh?: string;
  readonly explain?: boolean;
  readonly html?: string;
  readonly list?: boolean;
}

/** What flags say, and what is wrong with them. */
interface ReadFlags {
  readonly request: Partial<PlanRequest>;
  readonly problems: readonly string[];
}

function list(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** Reads numbers, with "k" and "M" behind them for thousands and millions. */
class NumberReader {
  readonly problems: string[] = [];

  read(flag: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const match = /^(-?\d+(?:\.\d+)?(?:e\d+)?)(k|M|B)?$/.exec(text.trim().replaceAll(/[_,]/g, ""));
    if (match === null) {
      this.problems.push(`--${flag}: "${text}" is no number`);
      return undefined;
    }
    const factor = { k: 1e3, M: 1e6, B: 1e9 }[match[2] ?? ""] ?? 1;
    return Number(match[1]) * factor;
  }

  /** "4", or "2..8" for the fewest of them that hold it. */
  nodes(text: string | undefined): NodeRange | undefined {
    if (text === undefined) return undefined;
    const match = /^\s*(\d+)(?:\s*\.\.\s*(\d+))?\s*$/.exec(text);
    if (match === null) {
      this.problems.push(`--nodes: "${text}"; write a count of hosts, or a range such as 1..8`);
      return undefined;
    }
    const [least, most] = [Number(match[1]), Number(match[2] ?? match[1])];
    return { least, most };
  }

  /** "1024" for a square, or "1024x768". */
  imageSize(text: string | undefined): TrainingRequest["imageSize"] {
    if (text === undefined) return undefined;
    const match = /^\s*(\d+)(?:\s*x\s*(\d+))?\s*$/.exec(text);
    if (match === null) {
      this.problems.push(`--image-size: "${text}"; write pixels, such as 1024 or 1024x768`);
      return undefined;
    }
    const [width, height] = [Number(match[1]), Number(match[2] ?? match[1])];
    return { width, height };
  }

  /** "g=8,p=0". */
  quota(text: string | undefined): QuotaVcpus | undefined {
    if (text === undefined) return undefined;
    const pairs = text.split(",").map((pair) => /^\s*([gp])\s*=\s*(\d+)\s*$/i.exec(pair));
    if (pairs.includes(null)) {
      this.problems.push(`--quota: "${text}"; write vCPUs by kind, such as g=8,p=0`);
      return undefined;
    }
    return Object.fromEntries(
      pairs.flatMap((pair) =>
        pair === null ? [] : [[(pair[1] ?? "").toLowerCase(), Number(pair[2])]],
      ),
    );
  }
}

/** The same without what was not given. */
function given<Value extends object>(value: {
  readonly [Key in keyof Value]?: Value[Key] | undefined;
}): Partial<Value> {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries) as Partial<Value>;
}

function leaseOf(options: PlanOptions, numbers: NumberReader): Partial<PlanRequest> {
  const { leaseHours } = options;
  if (leaseHours === undefined) return {};
  if (leaseHours === "none") return { leaseHours: undefined };
  return { leaseHours: numbers.read("lease-hours", leaseHours) };
}

function trainingOf(options: PlanOptions, numbers: NumberReader): TrainingRequest {
  return given<TrainingRequest>({
    method: options.method,
    precision: options.trainingPrecision,
    optimizer: options.optimizer,
    sequenceTokens: numbers.read("sequence", options.sequence),
    microBatch: numbers.read("batch", options.batch),
    gradientCheckpointing: options.checkpointing,
    sharding: options.sharding,
    offload: options.offload,
    imageSize: numbers.imageSize(options.imageSize),
    trainTextEncoder: options.trainTextEncoder,
    loraRank: numbers.read("lora-rank", options.loraRank),
    datasetTokens: numbers.read("tokens", options.tokens),
    epochs: numbers.read("epochs", options.epochs),
    globalBatch: numbers.read("global-batch", options.globalBatch),
    framework: options.framework,
    tensorParallel: numbers.read("tensor-parallel", options.tensorParallel),
    pipelineParallel: numbers.read("pipeline-parallel", options.pipelineParallel),
    contextParallel: numbers.read("context-parallel", options.contextParallel),
    expertParallel: numbers.read("expert-parallel", options.expertParallel),
  });
}

function marketOf({ spot, onDemand, market }: PlanOptions): Partial<PlanRequest> {
  if (market !== undefined) {
    return {
      spot: market.startsWith("spot"),
      onDemandAfterSpot: market === "spot-then-on-demand",
      capacityBlock: market === "capacity-block",
    };
  }
  if (onDemand === true) return { spot: false };
  return spot === undefined ? {} : { spot, onDemandAfterSpot: false };
}

function taskOf({ task, method }: PlanOptions): Partial<PlanRequest> {
  if (task === "serve" || task === "finetune" || task === "train") return { task };
  // A method of training says what is wanted.
  return method === undefined || task !== undefined ? {} : { task: "finetune" };
}

/** The regions that are named; `any` is all that have prices. */
function regionsOf({ region }: PlanOptions): readonly string[] {
  const named = list(region) ?? [];
  const all = named.flatMap((word) => (word === "any" ? pricedRegions : [word]));
  return [...new Set(all)];
}

/** The flags as a part of a request; what they say wrong is named, and left out. */
export function readFlags(options: PlanOptions): ReadFlags {
  const numbers = new NumberReader();
  const [region, ...otherRegions] = regionsOf(options);
  const request = {
    ...given<PlanRequest>({
      region,
      otherRegions: otherRegions.length === 0 ? undefined : otherRegions,
      zones: list(options.zones),
      contextTokens: numbers.read("context", options.context),
      concurrency: numbers.read("concurrency", options.concurrency),
      promptTokens: numbers.read("prompt-tokens", options.promptTokens),
      answerTokens: numbers.read("answer-tokens", options.answerTokens),
      imageSteps: numbers.read("image-steps", options.imageSteps),
      precision: options.precision,
      instanceTypes: list(options.types),
      gpuCount: numbers.read("gpu-count", options.gpuCount),
      gpuFamilies: list(options.gpuFamily),
      cpuArchitecture: options.arch,
      interconnect: options.interconnect,
      maxHourlyUsd: numbers.read("max-hourly-usd", options.maxHourlyUsd),
      budgetUsd: numbers.read("budget-usd", options.budgetUsd),
      quotaVcpus: numbers.quota(options.quota),
      nodes: numbers.nodes(options.nodes),
      sagemakerOnly: options.sagemakerOnly,
      spotMaxHourlyUsd: numbers.read("spot-max-hourly-usd", options.spotMaxHourlyUsd),
      monthlyHours: numbers.read("monthly-hours", options.monthlyHours),
    }),
    ...taskOf(options),
    ...marketOf(options),
    ...leaseOf(options, numbers),
    training: trainingOf(options, numbers),
  };
  return { request, problems: [...numbers.problems, ...flagProblems(options)] };
}

/**
 * USD a kWh of the own machine.
 *
 * @throws UserError when it is no price
 */
export function electricityOf({ electricityUsdPerKwh }: PlanOptions, otherwise: number): number {
  if (electricityUsdPerKwh === undefined) return otherwise;
  const price = Number(electricityUsdPerKwh);
  if (Number.isFinite(price) && price >= 0) return price;
  throw new UserError(`--electricity-usd-per-kwh: "${electricityUsdPerKwh}" is no price.`, {
    hint: "Write USD a kWh, such as 0.17.",
  });
}
