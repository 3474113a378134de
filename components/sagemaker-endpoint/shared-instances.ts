import { findModel } from "../catalogue/find-model.ts";
import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Plan } from "../plan.ts";
import type { PlanRequest } from "../sizing/make-plan.ts";
import { NoPlacementError } from "../sizing/no-placement-error.ts";
import { UserError } from "../user-error.ts";
import { componentCopy, type ComponentCopy } from "./component-copy.ts";
import type { HostingTables } from "./further-models.ts";
import { makeLoadedPlan } from "./loaded-plan.ts";

/** A model by one copy on a type that several models share. */
export interface SharedModel {
  readonly plan: Plan;
  readonly copy: ComponentCopy;
}

/** A model that is to be shared in, and its copies at most. */
export interface SharedRequest {
  readonly request: PlanRequest;
  readonly mostCopies: number;
}

/** A type on which each of several models has room for a copy, and those copies, in the order of the requests. */
export interface SharedType {
  readonly type: InstanceType;
  readonly models: readonly [SharedModel, ...SharedModel[]];
}

/** Shares of an instance's GPUs that a copy may have. */
const splits = [1, 2, 4, 8, 16] as const;

function planned(request: PlanRequest, tables: HostingTables, types: readonly InstanceType[]) {
  try {
    return makeLoadedPlan(request, { ...tables.hosting, instanceTypes: types });
  } catch (error) {
    if (error instanceof NoPlacementError) return undefined;
    throw error;
  }
}

/** The model on as few of the type's GPUs as hold it, with so much of its memory; undefined when all of them do not. */
function smallestCopy(
  request: PlanRequest,
  type: InstanceType,
  tables: HostingTables,
): SharedModel | undefined {
  const model = request.customModel ?? findModel(request.model, tables.hosting);
  const alone = { ...request, gpuCount: undefined, instanceTypes: [type.instanceType] };
  for (const gpuCount of splits.filter((count) => count <= type.gpuCount)) {
    const memoryGiB = (type.memoryGiB * gpuCount) / type.gpuCount;
    const plan = planned(alone, tables, [{ ...type, gpuCount, memoryGiB }]);
    if (plan === undefined) continue;
    const [part] = plan.ladder;
    const copy = componentCopy(model, part.tensorParallel, type);
    return { plan: { ...plan, ladder: [{ ...part, gpuCount: type.gpuCount }] }, copy };
  }
  return undefined;
}

/** The types that any of the models would have by itself. */
function candidates(
  requests: readonly SharedRequest[],
  { hosting }: HostingTables,
): InstanceType[] {
  const names = new Set(
    requests.flatMap(({ request }) =>
      makeLoadedPlan(request, hosting).ladder.map(({ instanceType }) => instanceType),
    ),
  );
  return hosting.instanceTypes.filter(({ instanceType }) => names.has(instanceType));
}

/** What all copies at most cost on a type, USD an hour. */
function mostUsd(requests: readonly SharedRequest[], { type, models }: SharedType): number {
  const copies = requests.flatMap(({ mostCopies }, index) =>
    Array<number>(mostCopies).fill(models[index]?.copy.accelerators ?? 0),
  );
  return instancesFor(copies, type.gpuCount) * models[0].plan.ladder[0].hourlyUsd;
}

/**
 * The type on whose instances a copy of each model has room, one beside the other or on an instance of its own: that on which
 * all copies at most cost least. Pure.
 *
 * @throws NoPlacementError when one of them fits nowhere
 * @throws UserError when no one type holds them all
 */
export function shareInstances(
  requests: readonly SharedRequest[],
  tables: HostingTables,
): SharedType {
  const types = candidates(requests, tables);
  const shared = types.flatMap((type): SharedType[] => {
    const models = requests.flatMap(({ request }) => smallestCopy(request, type, tables) ?? []);
    const [first, ...others] = models;
    const isWhole = first !== undefined && models.length === requests.length;
    return isWhole ? [{ type, models: [first, ...others] }] : [];
  });
  const [cheapest] = shared.toSorted((a, b) => mostUsd(requests, a) - mostUsd(requests, b));
  if (cheapest !== undefined) return cheapest;
  const names = types.map(({ instanceType }) => instanceType).join(", ");
  throw new UserError("No one type holds all models of the endpoint.", {
    problems: requests.map(({ request: { model } }) => `components: ${model} is among them`),
    hint: `Name a larger type in berth:instanceTypes than ${names}, or give the largest model a stack of its own.`,
  });
}

/**
 * Instances that so many copies need, the largest copies first: each goes to the first instance with GPUs left for it.
 *
 * @param copies GPUs of each copy
 */
export function instancesFor(copies: readonly number[], gpuCount: number): number {
  const free: number[] = [];
  for (const gpus of copies.toSorted((a, b) => b - a)) {
    const index = free.findIndex((left) => left >= gpus);
    if (index === -1) free.push(gpuCount - gpus);
    else free[index] = (free[index] ?? 0) - gpus;
  }
  return free.length;
}
