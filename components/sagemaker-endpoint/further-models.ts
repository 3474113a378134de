import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Plan } from "../plan.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import type { PlanRequest } from "../sizing/make-plan.ts";
import type { ComponentCopy } from "./component-copy.ts";
import { variantSizes, type VariantSizes } from "./endpoint-limits.ts";
import type { EndpointRequest } from "./endpoint-plan.ts";
import { hostingTypeName } from "./hosting-catalogue.ts";
import { makeLoadedPlan } from "./loaded-plan.ts";
import {
  servingContainer,
  type ContainerServer,
  type ServingContainer,
  type ServingImages,
} from "./serving-container.ts";
import type { SharedModel } from "./shared-instances.ts";

/** The first variant of an endpoint; the name that SageMaker's own tools give it. */
export const firstVariantName = "AllTraffic";

/** A model, or another setting of the same one, that an endpoint serves besides its first. */
export interface FurtherRequest {
  /** What it is called on the endpoint. */
  readonly name: string;
  /** @default the stack's own */
  readonly model?: string | undefined;
  /** Where its weights lie in the stack's bucket. @default `<model>/` */
  readonly weightsPrefix?: string | undefined;
  /** @default the stack's own of the stack's own model, else the model's default */
  readonly context?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly precision?: string | undefined;
  readonly instanceTypes?: readonly string[] | undefined;
  readonly imageUri?: string | undefined;
  /** What serves in its containers. @default its plan's engine */
  readonly servingImage?: ContainerServer | undefined;
  /** Percent of the requests of a variant; the first one has the rest. Of a shadow, those that are copied. 0 of a component, which is asked by its name. */
  readonly share: number;
  /** Instances of a variant that stay, or copies of a component. @default 1 of a variant, 0 of a component */
  readonly minInstances?: number | undefined;
  /** @default `minInstances`, 1 at least */
  readonly maxInstances?: number | undefined;
}

/** What a plan says of it. */
export interface FurtherModel
  extends VariantSizes, Pick<Plan, "modelId" | "engine" | "gated" | "licence" | "weightsGiB"> {
  readonly name: string;
  readonly huggingfaceRepo: string | undefined;
  readonly weightsPrefix: string | undefined;
  readonly contextTokens: number;
  readonly concurrency: number;
  readonly instanceType: string;
  readonly container: ServingContainer;
  /** Instances of a variant, or copies of a component. */
  readonly minInstances: number;
  readonly maxInstances: number;
  /** Percent of the requests, or of those that a shadow has copies of; 0 of a component. */
  readonly share: number;
  /** What a copy takes of an instance; undefined of a variant. */
  readonly copy: ComponentCopy | undefined;
  /** Whether it gets copies of requests, and its answers go nowhere. */
  readonly isShadow: boolean;
  /** Of all instances of a variant, USD an hour; 0 of a component, whose instances are the endpoint's. */
  readonly hourlyUsd: number;
}

/** The data that a further model is planned by. */
export interface HostingTables {
  /** Types of hosting alone, at its prices. */
  readonly hosting: Catalogue;
  readonly images: ServingImages;
}

/** The request of a further model by itself: what it does not say is as the stack has it. */
export function ownRequest<T extends PlanRequest>(request: T, further: FurtherRequest): T {
  const { model = request.model, concurrency = request.concurrency } = further;
  const isOther = model !== request.model;
  return {
    ...request,
    model,
    ...(isOther ? { customModel: undefined } : {}),
    contextTokens: further.context ?? (isOther ? undefined : request.contextTokens),
    concurrency,
    precision: further.precision ?? (isOther ? undefined : request.precision),
    instanceTypes: (further.instanceTypes ?? request.instanceTypes)?.map(hostingTypeName),
  };
}

/** What of the further models cannot be, a line each; names the setting. */
export function furtherProblems(request: EndpointRequest): readonly string[] {
  const { endpointMode, variants = [], components = [] } = request;
  return [
    ...(variants.length > 0 && endpointMode !== "realtime"
      ? ["variants: an endpoint has several in endpointMode realtime alone"]
      : namedProblems("variants", variants)),
    ...(components.length > 0 && endpointMode !== "components"
      ? ["components: they are for endpointMode components"]
      : namedProblems("components", components)),
    ...(variants.length > 0 ? unsharedProblems(request) : []),
    ...shadowProblems(request),
  ];
}

/** SageMaker has one shadow an endpoint, beside one production variant: .../latest/dg/shadow-tests-create.html */
function shadowProblems(request: EndpointRequest): readonly string[] {
  const { shadow, endpointMode, variants = [], updateStrategy = "all-at-once" } = request;
  if (shadow === undefined) return [];
  return [
    ...(endpointMode === "realtime" ? [] : ["shadow: it is for endpointMode realtime"]),
    ...(variants.length === 0 ? [] : ["shadow: not with variants; SageMaker allows one beside it"]),
    ...(shadow.name === firstVariantName ? [`shadow: the name "${shadow.name}" is taken`] : []),
    ...(updateStrategy === "all-at-once"
      ? []
      : ["updateStrategy: an endpoint with a shadow is moved all-at-once"]),
  ];
}

/** What an endpoint of several variants does not have. */
function unsharedProblems(request: EndpointRequest): readonly string[] {
  const { variants = [], endpointHours, fallbackTypes = 0 } = request;
  const { updateStrategy = "all-at-once" } = request;
  const shares = variants.reduce((sum, { share }) => sum + share, 0);
  return [
    ...(shares > 100 ? [`variants: their shares are ${shares} % together`] : []),
    // SageMaker does none of them rolling: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    ...(updateStrategy === "all-at-once"
      ? []
      : ["updateStrategy: several variants are moved all-at-once"]),
    ...(endpointHours === undefined
      ? []
      : ["endpointHours: not with variants, which would begin each day with their first shares"]),
    ...(fallbackTypes > 0 ? ["fallbackTypes: not with variants, which have a type each"] : []),
  ];
}

function namedProblems(setting: string, further: readonly FurtherRequest[]): readonly string[] {
  const names = [firstVariantName, ...further.map(({ name }) => name)];
  const twice = names.filter((name, index) => names.indexOf(name) < index);
  const problems = [
    ...twice.map((name) => `the name "${name}" is taken twice`),
    ...further.flatMap((each) => {
      const { minInstances, maxInstances } = countsOf(each, setting === "variants" ? 1 : 0);
      return minInstances > maxInstances
        ? [`${each.name}: ${minInstances} at least are above ${maxInstances}`]
        : [];
    }),
  ];
  return problems.map((problem) => `${setting}: ${problem}`);
}

/** What of a plan a further model keeps. */
function kept(plan: Plan, { name, share, weightsPrefix }: FurtherRequest, counts: Counts) {
  const { modelId, engine, gated, licence, weightsGiB, huggingfaceRepo } = plan;
  const { contextTokens, concurrency } = plan;
  const [{ instanceType }] = plan.ladder;
  const model = { modelId, engine, gated, licence, weightsGiB, huggingfaceRepo, weightsPrefix };
  return { name, share, ...model, contextTokens, concurrency, instanceType, ...counts };
}

/** Instances of a variant, or copies of a component. */
interface Counts {
  readonly minInstances: number;
  readonly maxInstances: number;
}

/** How many there are of a further model, with what nobody asked for. */
export function countsOf(
  { minInstances, maxInstances }: FurtherRequest,
  defaultLeast: number,
): Counts {
  const least = minInstances ?? defaultLeast;
  return { minInstances: least, maxInstances: maxInstances ?? Math.max(1, least) };
}

function imageOf({ imageUri, servingImage: server }: FurtherRequest) {
  return { imageUri, server };
}

function sizesOn(plan: Plan, { hosting }: HostingTables): VariantSizes {
  const [{ instanceType }] = plan.ladder;
  const type = hosting.instanceTypes.find((each) => each.instanceType === instanceType);
  return variantSizes(plan.weightsGiB, { ...type, instanceType });
}

/**
 * A further variant, on the type that is cheapest for it.
 *
 * @throws NoPlacementError when no type holds it
 * @throws UserError when its weights are too large for an endpoint
 */
export function planVariant(
  request: PlanRequest,
  further: FurtherRequest,
  tables: HostingTables,
): FurtherModel {
  const plan = makeLoadedPlan(ownRequest(request, further), tables.hosting);
  const counts = countsOf(further, 1);
  const { region } = request;
  return {
    ...sizesOn(plan, tables),
    ...kept(plan, further, counts),
    container: servingContainer(plan, tables.images, { region, ...imageOf(further) }),
    copy: undefined,
    isShadow: false,
    hourlyUsd: roundUsd(plan.ladder[0].hourlyUsd * counts.maxInstances),
  };
}

/** A further component on instances that it shares, which are counted by themselves. */
export function planComponent(
  { plan, copy }: SharedModel,
  further: FurtherRequest,
  tables: HostingTables,
): FurtherModel {
  const [{ region }] = plan.ladder;
  return {
    ...sizesOn(plan, tables),
    ...kept(plan, further, countsOf(further, 0)),
    container: servingContainer(plan, tables.images, { region, ...imageOf(further) }),
    copy,
    isShadow: false,
    hourlyUsd: 0,
  };
}
