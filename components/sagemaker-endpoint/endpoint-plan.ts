import type { Catalogue } from "../catalogue/catalogue.ts";
import { parseImageAddress } from "../container-images/image-address.ts";
import type { Placement, Plan } from "../plan.ts";
import { leaseCost } from "../pricing/hourly-cost.ts";
import type { NotebookPlan } from "../notebook-instance/notebook-plan.ts";
import { weeklySwitches } from "../lease/weekly-switches.ts";
import type { PlanRequest } from "../sizing/make-plan.ts";
import { UserError } from "../user-error.ts";
import { componentProblems, type ComponentCopy } from "./component-copy.ts";
import { sharedVolumeGiB, variantSizes, type VariantSizes } from "./endpoint-limits.ts";
import {
  planUpdate,
  updateProblems,
  type EndpointUpdate,
  type UpdateRequest,
} from "./endpoint-update.ts";
import { furtherProblems, type FurtherModel, type FurtherRequest } from "./further-models.ts";
import { ec2TypeName, hostingCatalogue, hostingTypeName } from "./hosting-catalogue.ts";
import { hourlyUsdOn, instancePools, quotaNameOf, type EndpointPool } from "./instance-pools.ts";
import { planServerless, type ServerlessShape } from "./serverless-plan.ts";
import { serverlessProblems, type ServerlessRequest } from "./serverless-request.ts";
import { serveModels, type InstanceCounts } from "./serve-models.ts";
import {
  servingContainer,
  type ContainerServer,
  type ServingContainer,
  type ServingImages,
} from "./serving-container.ts";

/** How an endpoint takes requests: at once, queued in S3, at once by copies that come down to none, or without instances. */
export type EndpointMode = "realtime" | "async" | "components" | "serverless";

/** What is asked of an endpoint besides what is asked of any deployment. */
export interface EndpointRequest extends PlanRequest, UpdateRequest {
  readonly endpointMode: EndpointMode;
  /** Instances that stay when nobody asks; none in async mode and with components. */
  readonly minInstances: number;
  readonly maxInstances: number;
  /** An image of the user's own in ECR. @default AWS's image of the plan's engine */
  readonly imageUri?: string | undefined;
  /** What serves in its containers. @default the plan's engine */
  readonly servingImage?: ContainerServer | undefined;
  /** Share of the requests and answers that are kept in S3, percent; of real-time endpoints only. @default 0 */
  readonly captureDataPercent?: number | undefined;
  /** Weekly hours outside of which the endpoint is deleted, with model and configuration kept. @default it always is there */
  readonly endpointHours?: string | undefined;
  /** How many further types SageMaker may take when the first lacks capacity, the cheapest first. @default 0 */
  readonly fallbackTypes?: number | undefined;
  /** Production variants beside the first, each with its share of the requests. @default none */
  readonly variants?: readonly FurtherRequest[] | undefined;
  /** A variant that gets copies of requests, and whose answers go nowhere; its instances do not scale. @default none */
  readonly shadow?: FurtherRequest | undefined;
  /** Models beside the first on the same instances, each by an inference component of its own. @default none */
  readonly components?: readonly FurtherRequest[] | undefined;
  /** A notebook instance that may ask the endpoint. @default none */
  readonly notebook?: NotebookPlan | undefined;
  /** What is asked of an endpoint without instances. @default nothing */
  readonly serverless?: ServerlessRequest | undefined;
  /** Whether its containers are to have interfaces in the user's own VPC. @default false */
  readonly inVpc?: boolean | undefined;
  /** Whether a key of the user's own encrypts its volumes. @default false */
  readonly ownKey?: boolean | undefined;
  /** Whether its containers may call nobody. @default false */
  readonly isolated?: boolean | undefined;
}

/** What a plan says of its endpoint. */
export interface EndpointShape extends VariantSizes {
  readonly mode: EndpointMode;
  /** Undefined where it has instances. */
  readonly serverless: ServerlessShape | undefined;
  /** Instances of the first variant, or copies of the first component. */
  readonly minInstances: number;
  readonly maxInstances: number;
  /** Instances of the first variant, which all components share. */
  readonly instances: InstanceCounts;
  /** Percent of the requests that the first variant has. */
  readonly share: number;
  /** What is served besides the first model: variants, or components. */
  readonly further: readonly FurtherModel[];
  /** The notebook instance beside it; its price is in the plan's. */
  readonly notebook: NotebookPlan | undefined;
  readonly container: ServingContainer;
  readonly update: EndpointUpdate;
  /** Share of the requests and answers that are kept in S3, percent. */
  readonly captureDataPercent: number;
  /** What a copy of the model takes of its instance; undefined where the endpoint has the model itself. */
  readonly copy: ComponentCopy | undefined;
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
  if (endpointMode === "components") return [];
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
      ? [
          "minInstances: 0 is for endpointMode async or components; a real-time endpoint keeps one at least",
        ]
      : []),
    ...(endpointMode === "async" && captureDataPercent > 0
      ? ["captureDataPercent: an endpoint that queues keeps every request and answer in S3 already"]
      : []),
    ...componentProblems(request),
    ...serverlessProblems(request),
    ...furtherProblems(request),
    ...(request.notebook !== undefined && endpointMode !== "realtime"
      ? ["notebookType: its first notebook asks an endpoint of endpointMode realtime"]
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

/** Weights of all models that share instances, GiB. */
function allGiB({ weightsGiB }: Plan, further: readonly FurtherModel[]): number {
  return further.reduce((sum, each) => sum + each.weightsGiB, weightsGiB);
}

/** Instances at most of all variants, which an update has twice for a while. */
function variantInstances(ownMost: number, further: readonly FurtherModel[]): number {
  const variants = further.filter(({ copy }) => copy === undefined);
  return variants.reduce((sum, { maxInstances }) => sum + maxInstances, ownMost);
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
  if (request.endpointMode === "serverless") return planServerless(request, catalogue, images);
  const hosting = hostingCatalogue(catalogue);
  const usable = hosting.instanceTypes.filter(({ gpuModel }) => !withoutCuda13.has(gpuModel));
  const tables = { hosting: { ...hosting, instanceTypes: usable }, images };
  const instanceTypes = request.instanceTypes?.map(hostingTypeName);
  const base = { ...request, spot: false, zones: undefined, instanceTypes };
  const { endpointMode: mode } = request;
  const { plan, copy, further, instances } = serveModels(base, tables);
  const [chosen, ...alternatives] = plan.ladder;
  const { region, imageUri, servingImage: server, fallbackTypes = 0, leaseHours } = request;
  const type = usable.find(({ instanceType }) => instanceType === chosen.instanceType);
  const disk = { ...type, instanceType: chosen.instanceType };
  const sizes = variantSizes(plan.weightsGiB, disk);
  const volumeGiB =
    copy === undefined ? sizes.volumeGiB : sharedVolumeGiB(allGiB(plan, further), disk);
  const ec2 = catalogue.instanceTypes.find(
    ({ instanceType }) => instanceType === ec2TypeName(chosen.instanceType),
  );
  const pools = instancePools(plan.ladder, usable, { weightsGiB: plan.weightsGiB, fallbackTypes });
  const { notebook } = request;
  const hourlyUsd = hourlyUsdOn({ pools, instances, further, notebook }, "");
  const leaseUsd = leaseCost(hourlyUsd, leaseHours);
  return {
    ...plan,
    ladder: [chosen],
    rootVolumeGiB: 0,
    hourlyUsd,
    leaseUsd,
    leaseMostUsd: leaseUsd,
    endpoint: {
      ...sizes,
      volumeGiB,
      mode,
      serverless: undefined,
      minInstances: request.minInstances,
      maxInstances: request.maxInstances,
      ...{ instances, further, notebook },
      share: 100 - further.reduce((sum, each) => sum + (each.isShadow ? 0 : each.share), 0),
      container: servingContainer(plan, images, { region, imageUri, server }),
      update: planUpdate(request, {
        minInstances: request.minInstances,
        maxInstances: variantInstances(request.maxInstances, further),
      }),
      captureDataPercent: request.captureDataPercent ?? 0,
      copy,
      hours: hoursOf(request),
      quotaName: quotaNameOf(chosen.instanceType),
      pools,
      alternatives,
      ec2HourlyUsd: ec2?.prices?.[region]?.onDemandHourlyUsd,
    },
  };
}
