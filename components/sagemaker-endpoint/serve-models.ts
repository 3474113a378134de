import { findModel } from "../catalogue/find-model.ts";
import type { Plan } from "../plan.ts";
import { componentCopy, type ComponentCopy } from "./component-copy.ts";
import type { EndpointRequest } from "./endpoint-plan.ts";
import {
  countsOf,
  ownRequest,
  planComponent,
  planVariant,
  type FurtherModel,
  type HostingTables,
} from "./further-models.ts";
import { makeLoadedPlan } from "./loaded-plan.ts";
import { instancesFor, shareInstances } from "./shared-instances.ts";

/** Instances of a variant. */
export interface InstanceCounts {
  readonly least: number;
  /** How many it begins with, so that a mistake shows at once; scaling takes them away later. */
  readonly first: number;
  readonly most: number;
}

/** What an endpoint serves, and on how many instances. */
export interface ServedModels {
  readonly plan: Plan;
  /** Of the first model; undefined where its variant has the model itself. */
  readonly copy: ComponentCopy | undefined;
  readonly further: readonly FurtherModel[];
  readonly instances: InstanceCounts;
}

/**
 * The models of an endpoint on their types: one alone, variants on a type each, or components on instances that they share.
 *
 * @throws NoPlacementError when one of them fits nowhere
 * @throws UserError when no one type holds all components
 */
export function serveModels(request: EndpointRequest, tables: HostingTables): ServedModels {
  const { components = [], variants = [], shadow } = request;
  const { endpointMode, minInstances, maxInstances } = request;
  if (endpointMode === "components" && components.length > 0) return serveShared(request, tables);
  const plan = makeLoadedPlan(request, tables.hosting);
  const [{ instanceType, tensorParallel }] = plan.ladder;
  const type = tables.hosting.instanceTypes.find((each) => each.instanceType === instanceType);
  const model = request.customModel ?? findModel(request.model, tables.hosting);
  return {
    plan,
    copy:
      endpointMode === "components" && type !== undefined
        ? componentCopy(model, tensorParallel, type)
        : undefined,
    further: [
      ...variants.map((each) => planVariant(request, each, tables)),
      ...(shadow === undefined
        ? []
        : [{ ...planVariant(request, shadow, tables), isShadow: true }]),
    ],
    instances: { least: minInstances, first: Math.max(1, minInstances), most: maxInstances },
  };
}

function serveShared(request: EndpointRequest, tables: HostingTables): ServedModels {
  const { components = [] } = request;
  const requests = [
    { request, mostCopies: request.maxInstances },
    ...components.map((each) => ({
      request: ownRequest(request, each),
      mostCopies: countsOf(each, 0).maxInstances,
    })),
  ];
  const {
    type: { gpuCount },
    models: [first, ...others],
  } = shareInstances(requests, tables);
  const further = components.flatMap((each, index) => {
    const shared = others[index];
    return shared === undefined ? [] : [planComponent(shared, each, tables)];
  });
  const all = [{ ...request, copy: first.copy }, ...further];
  const needed = (copiesOf: (model: (typeof all)[number]) => number) =>
    instancesFor(
      all.flatMap((each) => Array<number>(copiesOf(each)).fill(each.copy?.accelerators ?? 0)),
      gpuCount,
    );
  return {
    plan: first.plan,
    copy: first.copy,
    further,
    instances: {
      least: needed(({ minInstances }) => minInstances),
      first: needed(({ minInstances }) => Math.max(1, minInstances)),
      most: needed(({ maxInstances }) => maxInstances),
    },
  };
}
