import type { ResourceState } from "../contract.ts";
import type { Goal } from "./goal.ts";
import type { Step } from "./step.ts";

/** The state that a goal asks for, before its inputs are checked. */
export function goalState(
  goal: Goal,
  urn: string,
  old: ResourceState | undefined,
  alias: string | undefined,
): ResourceState {
  const { customTimeouts } = goal;
  const hasTimeouts = Object.values(customTimeouts).some(
    (seconds) => seconds !== undefined && seconds !== 0,
  );
  return {
    urn,
    custom: goal.custom,
    type: goal.type,
    inputs: goal.inputs,
    outputs: {},
    parent: orUndefined(goal.parent),
    protect: goal.protect === true ? true : undefined,
    dependencies: listOrUndefined(goal.dependencies),
    provider: orUndefined(goal.provider),
    propertyDependencies:
      Object.keys(goal.propertyDependencies).length === 0 ? undefined : goal.propertyDependencies,
    additionalSecretOutputs: listOrUndefined(goal.additionalSecretOutputs),
    aliases: alias === undefined ? undefined : [alias],
    customTimeouts: hasTimeouts ? customTimeouts : undefined,
    importID: goal.importId !== "" && old?.importID !== undefined ? old.importID : undefined,
    retainOnDelete: goal.retainOnDelete === true ? true : undefined,
    deletedWith: orUndefined(goal.deletedWith),
    created: old?.created,
    modified: old?.modified,
    sourcePosition: orUndefined(goal.sourcePosition),
    ignoreChanges: listOrUndefined(goal.ignoreChanges),
    replaceOnChanges: listOrUndefined(goal.replaceOnChanges),
    hideDiff: listOrUndefined(goal.hideDiffs),
  };
}

function orUndefined(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function listOrUndefined(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** A step that leaves a resource as it is. */
export function sameStep(old: ResourceState | undefined, next: ResourceState): Step {
  return { kind: "same", op: "same", urn: next.urn, old, next, logical: true };
}

/** A step that makes a resource. */
export function createStep(next: ResourceState): Step {
  return { kind: "create", op: "create", urn: next.urn, next, logical: true };
}

/** A step that deletes a resource which nobody wants any more. */
export function deleteStep(old: ResourceState): Step {
  if (old.pendingReplacement === true) {
    const op = "remove-pending-replace";
    return { kind: op, op, urn: old.urn, old, logical: false };
  }
  if (old.delete === true)
    return { kind: "delete", op: "delete-replaced", urn: old.urn, old, logical: false };
  return { kind: "delete", op: "delete", urn: old.urn, old, logical: true };
}
