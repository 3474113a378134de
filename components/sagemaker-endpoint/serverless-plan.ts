import type { Catalogue } from "../catalogue/catalogue.ts";
import { findModel } from "../catalogue/find-model.ts";
import type { Model } from "../catalogue/model.ts";
import type { Placement, Plan } from "../plan.ts";
import { leaseCost, roundUsd } from "../pricing/hourly-cost.ts";
import { jobOf, type ServingJob } from "../sizing/job.ts";
import { demandOf, type MemoryDemand } from "../sizing/memory-part.ts";
import { checkRequest } from "../sizing/plan-request.ts";
import { plannedModel } from "../sizing/planned-model.ts";
import { servingDemand } from "../sizing/serving-demand.ts";
import { formatOf, heldPrecision, weightBytes } from "../sizing/weight-layout.ts";
import { UserError } from "../user-error.ts";
import { variantLimits } from "./endpoint-limits.ts";
import type { EndpointPlan, EndpointRequest } from "./endpoint-plan.ts";
import { planUpdate } from "./endpoint-update.ts";
import { refuseServerless } from "./refuse-serverless.ts";
import {
  serverlessLimits,
  serverlessPriceAsOf,
  serverlessQuotaName,
  serverlessType,
} from "./serverless-limits.ts";
import { priceOf } from "./serverless-request.ts";
import { servingContainer, type ServingImages } from "./serving-container.ts";

/** What a plan says of an endpoint without instances. */
export interface ServerlessShape {
  /** Memory of one container, MiB. */
  readonly memoryMiB: number;
  /** Requests at once, each in a container of its own. */
  readonly concurrency: number;
  /** Containers that are kept warm. */
  readonly provisionedConcurrency: number;
  /** Of one container that answers, USD. */
  readonly usdPerSecond: number;
}

const [gibi, mebi] = [1024 ** 3, 1024 ** 2];

/** The model's weights as llama.cpp has them. */
function bytesOf(model: Model, { workload }: ServingJob): number {
  return weightBytes(model, formatOf(model, workload.precision, workload.engine));
}

/** llama.cpp on the CPU: the whole of the weights lies in memory, and no CUDA beside it. */
function demandOnCpu(model: Model, job: ServingJob): MemoryDemand {
  const { parts } = servingDemand(model, job.workload);
  const mib = bytesOf(model, job) / mebi;
  const weights = { name: "weights" as const, mib, lowMiB: mib, highMiB: mib, why: "all of them" };
  // An assumption: as much as llama.cpp's own figure with CUDA, which is more than what stands here in its place.
  const process = parts.filter(({ name }) => name === "runtime");
  const why = "the server, nginx and what the system keeps";
  const runtime = process.map((part) => ({ ...part, why }));
  const others = parts.filter(({ name }) => name !== "weights" && name !== "runtime");
  const parallelism = { tensorParallel: 1, pipelineParallel: 1 };
  return demandOf({ parts: [weights, ...others, ...runtime], parallelism, utilisation: 1 });
}

/** One sequence in a container of its own, from GGUF files: 4 bits a weight where nobody asks otherwise. */
function jobOn(request: EndpointRequest, model: Model): ServingJob {
  const { precision = "auto" } = request;
  const isGguf = model.engine === "llama.cpp";
  const asked = precision === "auto" && !isGguf ? "q4_k_m" : precision;
  const job = jobOf({ ...request, engine: "llama.cpp", precision: asked, concurrency: 1 }, model);
  if (job.task === "serve") return job;
  throw new Error("only serving is deployed to an endpoint");
}

/** The least memory of SageMaker's that holds the upper end of what is needed, or all of it. */
function leastMiB({ highMiB, totalMiB }: MemoryDemand): number | undefined {
  const { memoriesMiB } = serverlessLimits;
  return (
    memoriesMiB.find((memory) => memory >= highMiB) ?? memoriesMiB.find((each) => each >= totalMiB)
  );
}

/**
 * The memory of a container that serves the model.
 *
 * @throws UserError with what is needed, and which models do fit
 */
function memoryFor(
  request: EndpointRequest,
  job: ServingJob,
  catalogue: Catalogue,
): { readonly demand: MemoryDemand; readonly memoryMiB: number } {
  const { model } = job;
  const demand = demandOnCpu(model, job);
  const weightsGB = bytesOf(model, job) / 1e9;
  const least = leastMiB(demand);
  if (least === undefined || weightsGB > serverlessLimits.diskGB) {
    return refuseServerless(model, { demand, weightsGB, fitting: fitting(request, catalogue) });
  }
  const memoryMiB = request.serverless?.memoryMiB ?? least;
  if (memoryMiB >= demand.totalMiB) return { demand, memoryMiB };
  throw new UserError(`${model.id} does not fit ${memoryMiB} MiB.`, {
    problems: [
      `serverlessMemoryMiB: ${memoryMiB}, and ${Math.ceil(demand.totalMiB)} MiB are needed`,
    ],
    hint: `Leave it out, which takes ${least}, or ask for a shorter berth:context.`,
  });
}

/** Models of the catalogue that would fit as the request asks, the largest first. */
function fitting(request: EndpointRequest, catalogue: Catalogue): readonly string[] {
  const known = catalogue.models.filter(
    ({ task, parameters, vocabularySize }) =>
      task === "text-generation" && parameters !== undefined && vocabularySize !== undefined,
  );
  const fits = (model: Model): boolean => {
    const { maxContextTokens = 4096 } = model;
    const contextTokens = Math.min(request.contextTokens ?? 4096, maxContextTokens);
    const job = jobOn({ ...request, contextTokens }, model);
    const isSmall = bytesOf(model, job) <= serverlessLimits.diskGB * 1e9;
    return isSmall && leastMiB(demandOnCpu(model, job)) !== undefined;
  };
  return known
    .toSorted((a, b) => (b.parameters ?? 0) - (a.parameters ?? 0))
    .filter(fits)
    .map(({ id }) => id);
}

function placement(demand: MemoryDemand, memoryMiB: number, price: PlacementPrice): Placement {
  return {
    instanceType: serverlessType,
    region: price.region,
    zones: [],
    purchase: "on-demand",
    gpuModel: "",
    gpuCount: 0,
    gpuMemoryMiB: 0,
    cpuArchitecture: "x86_64",
    tensorParallel: 1,
    pipelineParallel: 1,
    dataParallel: 1,
    nvlink: false,
    hourlyUsd: price.hourlyUsd,
    priceAsOf: price.isOwn ? "" : serverlessPriceAsOf,
    priceSource: price.isOwn ? "berth:serverlessUsdPerGiBSecond" : "AWS's benchmarking toolkit",
    fits: true,
    comfortable: memoryMiB >= demand.highMiB,
  };
}

interface PlacementPrice {
  readonly region: string;
  readonly hourlyUsd: number;
  readonly isOwn: boolean;
}

/** What one container costs while it answers, USD. */
function secondUsd(request: EndpointRequest, memoryMiB: number): number {
  return ((priceOf(request) ?? 0) * memoryMiB) / 1024;
}

/**
 * The plan of a model on a serverless endpoint: llama.cpp on the CPU, the memory that it needs, and what it costs at most,
 * which is all of its containers answering all the time, and those that are kept warm once more. Pure. The request has been checked by itself.
 *
 * @throws UserError when no memory of SageMaker's holds the model, or it is no model that llama.cpp serves
 */
export function planServerless(
  request: EndpointRequest,
  catalogue: Catalogue,
  images: ServingImages,
): EndpointPlan {
  const model = request.customModel ?? findModel(request.model, catalogue);
  checkRequest(request, model, catalogue);
  if (model.task === "image-generation") return refuseServerless(model);
  const job = jobOn(request, model);
  const { demand, memoryMiB } = memoryFor(request, job, catalogue);
  const { region, leaseHours, concurrency = 1, serverless = {} } = request;
  const usdPerSecond = secondUsd(request, memoryMiB);
  const isOwn = serverless.usdPerGiBSecond !== undefined;
  const chosen = placement(demand, memoryMiB, { region, isOwn, hourlyUsd: usdPerSecond * 3600 });
  const { provisionedConcurrency = 0 } = serverless;
  // What is kept warm costs besides the answers. Its price is in none of our sources: the one of answers stands for it.
  const hourlyUsd = roundUsd(chosen.hourlyUsd * (concurrency + provisionedConcurrency));
  const leaseUsd = leaseCost(hourlyUsd, leaseHours);
  const { precision, contextTokens } = job.workload;
  const plan: Plan = {
    ...plannedModel(model),
    env: request.env,
    engine: "llama.cpp",
    precision: heldPrecision(model, precision, "llama.cpp"),
    ...{ contextTokens, concurrency, demand },
    weightsGiB: roundUsd(bytesOf(model, job) / gibi),
    rootVolumeGiB: 0,
    ladder: [chosen],
    rejected: [],
    ...{ hourlyUsd, leaseHours, leaseUsd, leaseMostUsd: leaseUsd },
    catalogueVersion: catalogue.version,
  };
  const shape = { memoryMiB, concurrency, provisionedConcurrency, usdPerSecond };
  return { ...plan, endpoint: endpointShape(request, plan, { shape, images }) };
}

/** What an endpoint has besides its containers: nothing of instances. */
function endpointShape(
  request: EndpointRequest,
  plan: Plan,
  { shape, images }: { readonly shape: ServerlessShape; readonly images: ServingImages },
): EndpointPlan["endpoint"] {
  const { region, imageUri, notebook } = request;
  const [{ hourlyUsd }] = plan.ladder;
  const place = { region, imageUri, device: "cpu" as const };
  return {
    mode: "serverless",
    serverless: shape,
    downloadTimeoutSeconds: variantLimits.leastSeconds,
    startupTimeoutSeconds: serverlessLimits.startSeconds,
    volumeGiB: undefined,
    minInstances: 0,
    maxInstances: 0,
    instances: { least: 0, first: 0, most: shape.concurrency },
    share: 100,
    further: [],
    notebook,
    // A container has one request at a time.
    container: servingContainer({ ...plan, concurrency: 1 }, images, place),
    update: planUpdate(request, { minInstances: 0, maxInstances: 0 }),
    captureDataPercent: 0,
    copy: undefined,
    hours: undefined,
    quotaName: serverlessQuotaName,
    pools: [{ instanceType: serverlessType, hourlyUsd }],
    alternatives: [],
    ec2HourlyUsd: undefined,
  };
}
