import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Model } from "../catalogue/model.ts";
import { longestLeaseHours } from "../lease/lease.ts";
import { pricedRegions } from "../pricing/region-prices.ts";
import { UserError } from "../user-error.ts";
import type { NodeRange } from "./parallel/weigh-hosts.ts";
import { wrongLayout } from "./parallel/wrong-layout.ts";
import { wrongTraining, type TrainingRequest } from "./training-request.ts";
import { wrongImages } from "./wrong-images.ts";
import { wrongServing } from "./wrong-serving.ts";
import type { KvFormat, ServedAdapters, SizingEngine, Task } from "./workload.ts";

/** vCPUs that an account may run, by the quota that a type counts against. */
export interface QuotaVcpus {
  /** "Running On-Demand G and VT instances", or the spot one. */
  readonly g?: number | undefined;
  /** "Running On-Demand P instances", or the spot one. */
  readonly p?: number | undefined;
}

/** What the user asks for. */
export interface PlanRequest {
  /** Name of a model of the catalogue. */
  readonly model: string;
  /** A model that the catalogue does not have, read from its own files; it wins over the name. */
  readonly customModel?: Model | undefined;
  readonly env: string;
  readonly region: string;
  /** Further regions to compare with. @default none */
  readonly otherRegions?: readonly string[] | undefined;
  /** Availability zones to try, in this order. @default those that the account has */
  readonly zones?: readonly string[] | undefined;
  readonly spot: boolean;
  /** With spot: on demand after it, when spot lacks capacity. @default false */
  readonly onDemandAfterSpot?: boolean | undefined;
  /** In Capacity Blocks, whatever `spot` says; such a plan cannot be deployed. @default false */
  readonly capacityBlock?: boolean | undefined;
  /** Most that the instance may cost in an hour on spot, USD. @default its on-demand price */
  readonly spotMaxHourlyUsd?: number | undefined;
  /** Hours until teardown; undefined means no deadline. */
  readonly leaseHours: number | undefined;
  /** @default "serve" */
  readonly task?: Task | undefined;
  /** Tokens of prompt and answer together. @default 4096, or the model's own limit where that is less */
  readonly contextTokens?: number | undefined;
  /** Sequences served at once. @default 1 */
  readonly concurrency?: number | undefined;
  /** Tokens of a typical prompt, for time and price of a request. @default a quarter of the context, 1024 at most */
  readonly promptTokens?: number | undefined;
  /** Tokens of a typical answer. @default a quarter of the context, 256 at most */
  readonly answerTokens?: number | undefined;
  /** Steps of denoising of an image. @default what the model's pipeline takes */
  readonly imageSteps?: number | undefined;
  /** What serves the model. @default by the model: vllm, llama.cpp for GGUF files, diffusers for images */
  readonly engine?: SizingEngine | undefined;
  /** How a number of the key-value cache is held. @default 16 bit */
  readonly kvFormat?: KvFormat | undefined;
  /** LoRA adapters that are served beside the model. @default none */
  readonly adapters?: ServedAdapters | undefined;
  /** A format such as `native`, `int8` or `int4`; `auto` is `native`. @default "auto" */
  readonly precision?: string | undefined;
  readonly training?: TrainingRequest | undefined;
  /** Hosts of one type that a training is laid out over. @default one, and as many as it takes when none holds it */
  readonly nodes?: NodeRange | undefined;
  readonly instanceTypes?: readonly string[] | undefined;
  readonly gpuCount?: number | undefined;
  /** GPU models or EC2 families, such as `L4` or `g5`. */
  readonly gpuFamilies?: readonly string[] | undefined;
  readonly cpuArchitecture?: string | undefined;
  /** How its GPUs have to exchange: `any`, `nvlink` or `efa`. @default "any" */
  readonly interconnect?: string | undefined;
  /** Most that an hour may cost, volume and address included, USD. */
  readonly maxHourlyUsd?: number | undefined;
  /** Most that the lease, the job, or a month without an end may cost, USD. */
  readonly budgetUsd?: number | undefined;
  readonly quotaVcpus?: QuotaVcpus | undefined;
  /** Only types that a SageMaker endpoint may have, at a price that is known. @default false */
  readonly sagemakerOnly?: boolean | undefined;
  /** Leaves out pipelines of GPUs, which the server of a deployment does not make. @default false */
  readonly tensorParallelOnly?: boolean | undefined;
  /** Hours a month that it runs. @default 730, all of them */
  readonly monthlyHours?: number | undefined;
  /** Root volume, GiB. @default what download, checkpoints and system need, rounded up to 10 */
  readonly rootVolumeGiB?: number | undefined;
}

/** Formats that `--precision` takes. */
export const precisions = [
  "native",
  "fp32",
  "bf16",
  "fp16",
  "fp8",
  "int8",
  "gptq-int8",
  "int4",
  "awq-int4",
  "nf4",
  "nf4-double",
  "mxfp4",
  "q8_0",
  "q6_k",
  "q5_k_m",
  "q4_k_m",
  "q4_0",
  "q3_k_m",
  "q2_k",
] as const;

const interconnects: readonly string[] = ["any", "nvlink", "efa"];
const architectures: readonly string[] = ["x86_64", "arm64"];
const tasks: readonly string[] = ["serve", "finetune", "train"];

/** Whether berth knows that format by name. */
export function isPrecision(text: string): text is (typeof precisions)[number] {
  return precisions.some((known) => known === text);
}

function wrongNumbers(request: PlanRequest): readonly string[] {
  const counts = {
    context: request.contextTokens,
    concurrency: request.concurrency,
    promptTokens: request.promptTokens,
    answerTokens: request.answerTokens,
    imageSteps: request.imageSteps,
    gpuCount: request.gpuCount,
  };
  const amounts = {
    maxHourlyUsd: request.maxHourlyUsd,
    budgetUsd: request.budgetUsd,
    spotMaxHourlyUsd: request.spotMaxHourlyUsd,
    leaseHours: request.leaseHours,
    rootVolumeGiB: request.rootVolumeGiB,
  };
  const { monthlyHours } = request;
  return [
    ...Object.entries(counts)
      .filter(([, value]) => value !== undefined && !(Number.isInteger(value) && value >= 1))
      .map(([name, value]) => `${name}: ${value} is no whole number of 1 or more`),
    ...Object.entries(amounts)
      .filter(([, value]) => value !== undefined && !(Number.isFinite(value) && value > 0))
      .map(([name, value]) => `${name}: ${value} is not above 0`),
    ...(request.leaseHours !== undefined && request.leaseHours > longestLeaseHours
      ? [`leaseHours: ${request.leaseHours} is above ${longestLeaseHours}; longer is "none"`]
      : []),
    ...(monthlyHours !== undefined && !(monthlyHours > 0 && monthlyHours <= 744)
      ? [`monthlyHours: ${monthlyHours} is not between 0 and 744`]
      : []),
  ];
}

function wrongNames(request: PlanRequest, catalogue: Catalogue): readonly string[] {
  const types = new Set(catalogue.instanceTypes.map(({ instanceType }) => instanceType));
  const families = request.gpuFamilies ?? [];
  const gpus = new Set(
    (families.length === 0 ? [] : catalogue.instanceTypes).flatMap((type) => [
      ...familyNames(type.instanceType, type.gpuModel),
    ]),
  );
  const regions = [request.region, ...(request.otherRegions ?? [])];
  const inRegions = (zone: string) => regions.some((region) => zone.startsWith(region));
  const { precision = "auto", task = "serve", cpuArchitecture, interconnect } = request;
  const choice = (name: string, value: string | undefined, known: readonly string[]) =>
    value === undefined || known.includes(value)
      ? []
      : [`${name}: "${value}"; there are ${known.join(", ")}`];
  return [
    ...(request.instanceTypes ?? [])
      .filter((type) => !types.has(type))
      .map(
        (type) => `instanceTypes: "${type}" is no EC2 type with NVIDIA GPUs that the catalogue has`,
      ),
    ...families
      .filter((family) => !gpus.has(family.toLowerCase()))
      .map((family) => `gpuFamily: "${family}" is no GPU or EC2 family that the catalogue has`),
    ...regions
      .filter((region) => !pricedRegions.includes(region))
      .map((region) => `region: no prices for "${region}"; there are ${pricedRegions.join(", ")}`),
    ...(request.zones ?? [])
      .filter((zone) => !inRegions(zone))
      .map((zone) => `zones: "${zone}" is not in ${regions.join(", ")}`),
    ...choice("precision", precision, ["auto", ...precisions]),
    ...choice("task", task, tasks),
    ...choice("arch", cpuArchitecture, architectures),
    ...choice("interconnect", interconnect, interconnects),
  ];
}

/** Names under which a type's GPU can be asked for, in lower case: `g5`, `a10g`, and `a100` for `A100-SXM4-40GB`. */
export function familyNames(instanceType: string, gpuModel: string): ReadonlySet<string> {
  const family = instanceType.split(".")[0] ?? instanceType;
  const model = gpuModel.toLowerCase();
  return new Set([family, model, model.split("-")[0] ?? model, model.replace(/ blackwell.*/, "")]);
}

const mostNodes = 1024;

function wrongNodes(
  { nodes, task = "serve" }: PlanRequest,
  model: Model | undefined,
): readonly string[] {
  if (nodes === undefined) return [];
  const { least, most } = nodes;
  const whole = [least, most].every((count) => Number.isInteger(count) && count >= 1);
  if (!whole || least > most || most > mostNodes) {
    const text = least === most ? `${least}` : `${least}..${most}`;
    return [`nodes: ${text} is no count or range of 1 to ${mostNodes} hosts`];
  }
  if (model?.task === "image-generation" && most > 1) {
    return [`nodes: ${model.id} makes images, and is served and trained on one host`];
  }
  return task === "serve" && most > 1
    ? ["nodes: a server runs on one host; several are for --task finetune or train"]
    : [];
}

/** Every problem of the request, each with its place. */
export function requestProblems(
  request: PlanRequest,
  model: Model | undefined,
  catalogue: Catalogue,
): readonly string[] {
  const training = wrongTraining(request.training);
  const { task = "serve" } = request;
  return [
    ...wrongNames(request, catalogue),
    ...wrongNumbers(request),
    ...(model === undefined ? [] : wrongServing(request, model)),
    ...training,
    ...(model === undefined || training.length > 0 || task === "serve"
      ? []
      : wrongLayout(model, request.training, task === "train")),
    ...(model === undefined || training.length > 0
      ? []
      : wrongImages(request.training ?? {}, model, task)),
    ...wrongNodes(request, model),
  ];
}

/** @throws UserError naming every problem of the request at once */
export function checkRequest(request: PlanRequest, model: Model, catalogue: Catalogue): void {
  const problems = requestProblems(request, model, catalogue);
  if (problems.length === 0) return;
  throw new UserError(`${model.id} cannot be planned as asked.`, {
    problems,
    hint: "Change what is named above, and plan again.",
  });
}
