import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Placement, Plan } from "../plan.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { weeklySwitches } from "../lease/weekly-switches.ts";
import { makePlan, type PlanRequest } from "../sizing/make-plan.ts";
import { UserError } from "../user-error.ts";
import { variantSizes, type VariantSizes } from "./endpoint-limits.ts";
import {
  planUpdate,
  updateProblems,
  type EndpointUpdate,
  type UpdateRequest,
} from "./endpoint-update.ts";
import { ec2TypeName, hostingCatalogue, hostingTypeName } from "./hosting-catalogue.ts";
import { hourlyUsdOn, instancePools, type EndpointPool } from "./instance-pools.ts";
import {
  parseImageAddress,
  servingContainer,
  type ServingContainer,
  type ServingImages,
} from "./serving-container.ts";

/** How an endpoint takes requests: at once, or queued in S3. */
export type EndpointMode = "realtime" | "async";

/** What is asked of an endpoint besides what is asked of any deployment. */
export interface EndpointRequest extends PlanRequest, UpdateRequest {
  readonly endpointMode: EndpointMode;
  /** Instances that stay when nobody asks; none only in async mode. */
  readonly minInstances: number;
  readonly maxInstances: number;
  /** An image of the user's own in ECR. @default AWS's image of the plan's engine */
  readonly imageUri?: string | undefined;
  /** Share of the requests and answers that are kept in S3, percent; of real-time endpoints only. @default 0 */
  readonly captureDataPercent?: number | undefined;
  /** Weekly hours outside of which the endpoint is deleted, with model and configuration kept. @default it always is there */
  readonly endpointHours?: string | undefined;
  /** How many further types SageMaker may take when the first lacks capacity, the cheapest first. @default 0 */
  readonly fallbackTypes?: number | undefined;
}

/** What a plan says of its endpoint. */
export interface EndpointShape extends VariantSizes {
  readonly mode: EndpointMode;
  readonly minInstances: number;
  readonly maxInstances: number;
  readonly container: ServingContainer;
  readonly update: EndpointUpdate;
  /** Share of the requests and answers that are kept in S3, percent. */
  readonly captureDataPercent: number;
  /** Types that SageMaker tries in this order when one lacks capacity; one alone where nothing else was allowed. */
  readonly pools: readonly EndpointPool[];
  /** Weekly hours, as they were asked for; undefined when it is always there. */
  readonly hours: { readonly text: string; readonly hoursAWeek: number } | undefined;
  /** The quota by which AWS counts it; quotas of SageMaker are found by name. */
  readonly quotaName: string;
  /** Types that hold the model too, for when the chosen one lacks capacity. */
  readonly alternatives: readonly Placement[];
  /** What the same silicon costs as an EC2 instance, on demand; undefined where that is not known. */
  readonly ec2HourlyUsd: number | undefined;
}

/** A plan whose target is a SageMaker endpoint; its ladder has one rung, and its price is the dearest pool's. */
export interface EndpointPlan extends Plan {
  readonly endpoint: EndpointShape;
}

/** Volta: CUDA 13, which the serving images are built with, does not run on it (docs.nvidia.com, CUDA 13 release notes). */
const withoutCuda13 = new Set(["V100"]);

function hoursProblems(request: EndpointRequest): readonly string[] {
  const { endpointHours, endpointMode, minInstances, maxInstances } = request;
  if (endpointHours === undefined || minInstances === maxInstances) return [];
  const instead =
    endpointMode === "async" ? ", or leave the hours out: what does not wait costs nothing" : "";
  return [
    `endpointHours: an endpoint that scales loses its scaling when it is stopped; set minInstances and maxInstances to one number${instead}`,
  ];
}

function checkRequest(request: EndpointRequest): void {
  const { endpointMode, minInstances, maxInstances, imageUri, region } = request;
  const { captureDataPercent = 0 } = request;
  const address = imageUri === undefined ? undefined : parseImageAddress(imageUri);
  const problems = [
    ...(minInstances > maxInstances
      ? [`minInstances: ${minInstances} is above maxInstances, ${maxInstances}`]
      : []),
    ...(endpointMode === "realtime" && minInstances === 0
      ? ["minInstances: 0 is for endpointMode async; a real-time endpoint keeps one at least"]
      : []),
    ...(endpointMode === "async" && captureDataPercent > 0
      ? ["captureDataPercent: an endpoint that queues keeps every request and answer in S3 already"]
      : []),
    ...updateProblems(request, request),
    ...hoursProblems(request),
    ...(imageUri !== undefined && address === undefined
      ? [`imageUri: "${imageUri}" is no image of ECR with a tag or a digest`]
      : []),
    ...(address !== undefined && address.region !== region
      ? [`imageUri: it is in ${address.region}, and SageMaker pulls from its own region, ${region}`]
      : []),
  ];
  if (problems.length === 0) return;
  throw new UserError("The endpoint cannot be planned as asked.", {
    problems,
    hint: "Change what is named above, and plan again.",
  });
}

function hoursOf({ endpointHours: text }: EndpointRequest): EndpointShape["hours"] {
  return text === undefined ? undefined : { text, hoursAWeek: weeklySwitches(text).hoursAWeek };
}

/**
 * The plan of a model on a SageMaker endpoint: the types of hosting that hold it, the container, timeouts and price. Pure,
 * and made as that of a GPU host is.
 *
 * @throws UserError naming every problem of the request at once
 * @throws NoPlacementError with the reason for every type when none holds the model
 */
export function planEndpoint(
  request: EndpointRequest,
  catalogue: Catalogue,
  images: ServingImages,
): EndpointPlan {
  checkRequest(request);
  const hosting = hostingCatalogue(catalogue);
  const usable = hosting.instanceTypes.filter(({ gpuModel }) => !withoutCuda13.has(gpuModel));
  const instanceTypes = request.instanceTypes?.map(hostingTypeName);
  const base = { ...request, spot: false, zones: undefined, instanceTypes };
  const plan = makePlan(base, { ...hosting, instanceTypes: usable });
  const [chosen, ...alternatives] = plan.ladder;
  const { region, imageUri } = request;
  const type = usable.find(({ instanceType }) => instanceType === chosen.instanceType);
  const sizes = variantSizes(plan.weightsGiB, { ...chosen, localNvmeGB: type?.localNvmeGB });
  const ec2 = catalogue.instanceTypes.find(
    ({ instanceType }) => instanceType === ec2TypeName(chosen.instanceType),
  );
  const { fallbackTypes = 0 } = request;
  const pools = instancePools(plan.ladder, usable, { weightsGiB: plan.weightsGiB, fallbackTypes });
  const hourlyUsd = hourlyUsdOn({ pools, maxInstances: request.maxInstances }, "");
  const { leaseHours } = request;
  const leaseUsd = leaseHours === undefined ? undefined : roundUsd(hourlyUsd * leaseHours);
  return {
    ...plan,
    ladder: [chosen],
    rootVolumeGiB: 0,
    hourlyUsd,
    leaseUsd,
    leaseMostUsd: leaseUsd,
    endpoint: {
      ...sizes,
      mode: request.endpointMode,
      minInstances: request.minInstances,
      maxInstances: request.maxInstances,
      container: servingContainer(plan, images, { region, imageUri }),
      update: planUpdate(request, request),
      captureDataPercent: request.captureDataPercent ?? 0,
      hours: hoursOf(request),
      quotaName: `${chosen.instanceType} for endpoint usage`,
      pools,
      alternatives,
      ec2HourlyUsd: ec2?.prices?.[region]?.onDemandHourlyUsd,
    },
  };
}
