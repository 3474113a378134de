import type { Accelerator } from "../catalogue/accelerator.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Placement } from "../plan.ts";
import { inverse } from "../range.ts";
import { breakEvenHoursAMonth } from "../pricing/break-even.ts";
import { energyOf } from "../pricing/energy.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { perMillionTokensUsd } from "../pricing/rung-cost.ts";
import type { Job, ServingJob } from "../sizing/job.ts";
import { kvCacheBytes } from "../sizing/kv-cache.ts";
import { shapeOf } from "../sizing/model-shape.ts";
import type { Candidate } from "../sizing/placement.ts";
import { weightBytes } from "../sizing/weight-layout.ts";
import { densePeakTflops } from "../throughput/dense-peak.ts";
import { eagerLayerOverheadMs } from "../throughput/efficiency.ts";
import { imageSpeed } from "../throughput/image-speed.ts";
import {
  servingSpeed,
  type GpuRates,
  type ServedModel,
  type ServingSpeed,
} from "../throughput/serving-speed.ts";
import type { FullLoad, Rung, SagemakerOffer } from "./report.ts";
import { trainingPace, trainingRung } from "./training-rung.ts";

/** Sequences that vLLM takes at once by default (`max_num_seqs`). */
const mostSequences = 256;

function rates(accelerator: Accelerator): GpuRates | undefined {
  const { memoryBandwidthGBs } = accelerator;
  const tflops = densePeakTflops(accelerator);
  if (memoryBandwidthGBs === undefined || tflops === undefined) return undefined;
  return { bandwidthGBs: memoryBandwidthGBs, tflops };
}

/** The model as its time is worked out from; undefined for an image model. */
export function servedModel({ model, workload }: ServingJob): ServedModel | undefined {
  if (model.task === "image-generation") return undefined;
  const { parameters, layers } = shapeOf(model);
  const { contextTokens, engine, kvFormat, precision } = workload;
  const cache = kvCacheBytes(model, contextTokens, engine, kvFormat);
  return {
    layers,
    parameters,
    activeParameters: Math.min(model.activeParameters ?? parameters, parameters),
    weightBytes: weightBytes(model, precision),
    kvBytesPerToken: cache / contextTokens,
    layerOverheadMs: engine === "transformers" ? eagerLayerOverheadMs : undefined,
  };
}

/** As many sequences as the first GPU has cache for, at the asked context. */
function mostAtOnce({ demand, placement }: Candidate, concurrency: number): number {
  const limitMiB = placement.gpuMemoryMiB * demand.utilisation + demand.outsideMiB;
  const roomMiB = Math.min(limitMiB, placement.gpuMemoryMiB) - demand.totalMiB;
  const oneMiB = demand.kvCacheMiB / concurrency;
  if (oneMiB <= 0) return concurrency;
  const most = concurrency + Math.floor(roomMiB / oneMiB);
  return Math.max(1, Math.min(Math.max(mostSequences, concurrency), most));
}

/** How fast a type answers: the same in every region, and in every market. */
interface ServingPace {
  readonly speed: ServingSpeed;
  /** With as many sequences as the first GPU has cache for. */
  readonly full: Pick<FullLoad, "concurrency" | "speed">;
}

function servingPace(
  job: ServingJob,
  served: ServedModel | undefined,
  candidate: Candidate,
): ServingPace | undefined {
  const gpu = rates(candidate.accelerator);
  if (gpu === undefined || served === undefined) return undefined;
  const { tensorParallel, pipelineParallel } = candidate.demand;
  const { nvlink } = candidate.placement;
  const machine = { gpu, tensorParallel, pipelineParallel, nvlink };
  const { promptTokens, answerTokens } = job;
  const at = (concurrency: number) =>
    servingSpeed(served, { promptTokens, answerTokens, concurrency }, machine);
  const concurrency = mostAtOnce(candidate, job.workload.concurrency);
  return { speed: at(job.workload.concurrency), full: { concurrency, speed: at(concurrency) } };
}

const nothing = {
  speed: undefined,
  imageSpeed: undefined,
  perThousandImagesUsd: undefined,
  perMillionTokensUsd: undefined,
  fullLoad: undefined,
  training: undefined,
  imageTraining: undefined,
  layout: undefined,
  jobUsd: undefined,
} as const;

/** An image model makes its images on one GPU, whatever the machine has. */
function imageEconomics({ model, workload, imageSteps }: ServingJob, candidate: Candidate) {
  const tflops = densePeakTflops(candidate.accelerator);
  const { denoising } = model;
  if (tflops === undefined || denoising === undefined) return nothing;
  const { teraOperationsPerPass, passesPerStep, steps } = denoising;
  const work = { teraOperationsPerPass, passesPerStep, steps: imageSteps ?? steps };
  const made = imageSpeed({ ...work, images: workload.concurrency }, tflops);
  const cost = inverse(made.imagesPerHour, candidate.hourly.totalUsd * 1000);
  return { ...nothing, imageSpeed: made, perThousandImagesUsd: cost };
}

function servingEconomics(job: ServingJob, candidate: Candidate, pace: ServingPace | undefined) {
  if (job.model.task === "image-generation") return imageEconomics(job, candidate);
  if (pace === undefined) return nothing;
  const { speed, full } = pace;
  const priceOf = ({ totalTokensPerSecond }: ServingSpeed) =>
    perMillionTokensUsd(candidate.hourly.totalUsd, totalTokensPerSecond);
  const fullLoad: FullLoad = { ...full, perMillionTokensUsd: priceOf(full.speed) };
  return { ...nothing, speed, perMillionTokensUsd: priceOf(speed), fullLoad };
}

/** The endpoint types of the catalogue, by the EC2 type and region. */
export function sagemakerOffers({ sagemakerTypes }: Catalogue) {
  const byEc2Type = new Map(sagemakerTypes.map((type) => [type.ec2InstanceType, type]));
  return ({ placement, hourly }: Candidate): SagemakerOffer | undefined => {
    const type = byEc2Type.get(placement.instanceType);
    const price = type?.prices?.[placement.region];
    if (type?.hosting !== true || price === undefined) return undefined;
    const { hostingHourlyUsd, asOf } = price;
    return {
      instanceType: type.instanceType,
      hourlyUsd: hostingHourlyUsd,
      priceAsOf: asOf,
      breakEvenHoursAMonth: breakEvenHoursAMonth(hourly.totalUsd, hostingHourlyUsd),
    };
  };
}

/** Prices of training jobs on the same GPUs. */
function trainingJobs({ sagemakerTypes }: Catalogue) {
  const byEc2Type = new Map(sagemakerTypes.map((type) => [type.ec2InstanceType, type]));
  return ({ placement }: Candidate): Rung["sagemakerTraining"] => {
    const type = byEc2Type.get(placement.instanceType);
    const price = type?.prices?.[placement.region];
    if (type === undefined || price?.trainingHourlyUsd === undefined) return undefined;
    const { trainingHourlyUsd, asOf: priceAsOf } = price;
    const hourlyUsd = trainingHourlyUsd * (placement.nodes ?? 1);
    return { instanceType: type.instanceType, hourlyUsd, priceAsOf };
  };
}

/** Other ways to pay for what runs on demand. */
function reservedOf(
  { reserved }: InstanceType,
  { region, purchase, nodes = 1 }: Placement,
): Rung["reserved"] {
  const known = reserved?.[region];
  if (known === undefined || purchase !== "on-demand") return undefined;
  const { oneYearHourlyUsd, threeYearHourlyUsd, asOf, source } = known;
  const of = (usd: number | undefined) => (usd === undefined ? undefined : usd * nodes);
  return {
    oneYearHourlyUsd: of(oneYearHourlyUsd),
    threeYearHourlyUsd: of(threeYearHourlyUsd),
    asOf,
    source,
  };
}

/** What is known of spot in the region, of all its hosts. */
function spotOf(
  { prices, pastSpot }: InstanceType,
  { region, purchase, nodes = 1 }: Placement,
): Pick<Rung, "spotHourlyUsd" | "spotHighHourlyUsd" | "spotAsOf" | "pastSpot"> {
  const { spotHourlyUsd, spotHighHourlyUsd, asOf, spotAsOf = asOf } = prices?.[region] ?? {};
  const of = (usd: number | undefined) => (usd === undefined ? undefined : usd * nodes);
  const past = purchase === "spot" && spotHourlyUsd === undefined ? pastSpot?.[region] : undefined;
  return {
    spotHourlyUsd: of(spotHourlyUsd),
    spotHighHourlyUsd: of(spotHighHourlyUsd),
    spotAsOf: spotHourlyUsd === undefined ? undefined : spotAsOf,
    pastSpot: past === undefined ? undefined : { ...past, hourlyUsd: past.hourlyUsd * nodes },
  };
}

/** What a type takes, worked out once for all its regions and markets. */
function byType<Value>(make: (candidate: Candidate) => Value): (candidate: Candidate) => Value {
  const known = new Map<string, Value>();
  return (candidate) => {
    const { instanceType } = candidate.placement;
    const value = known.get(instanceType) ?? make(candidate);
    known.set(instanceType, value);
    return value;
  };
}

/** Time and what follows from it. */
function economicsMaker(job: Job) {
  if (job.task === "serve") {
    const served = servedModel(job);
    const paceOf = byType((candidate) => servingPace(job, served, candidate));
    return (candidate: Candidate) => servingEconomics(job, candidate, paceOf(candidate));
  }
  const images = job.model.task === "image-generation";
  const paceOf = byType((candidate) => (images ? undefined : trainingPace(job, candidate)));
  return (candidate: Candidate) => ({
    ...nothing,
    ...trainingRung(job, candidate, paceOf(candidate)),
  });
}

/** Puts price, time and energy to candidates of one job. */
export function rungMaker(job: Job, catalogue: Catalogue, monthlyHours: number) {
  const offerOf = sagemakerOffers(catalogue);
  const trainingJobOf = trainingJobs(catalogue);
  const economicsOf = economicsMaker(job);
  return (candidate: Candidate): Rung => {
    const { placement, type, demand, hourly, software } = candidate;
    return {
      ...placement,
      ...economicsOf(candidate),
      demand,
      hourly,
      monthlyUsd: roundUsd(hourly.totalUsd * monthlyHours),
      reserved: reservedOf(type, placement),
      ...spotOf(type, placement),
      energy: energyOf(
        placement.gpuModel,
        placement.gpuCount * (placement.nodes ?? 1),
        placement.region,
      ),
      software,
      sagemaker: job.task === "serve" ? offerOf(candidate) : undefined,
      sagemakerTraining: job.task === "serve" ? undefined : trainingJobOf(candidate),
    };
  };
}
