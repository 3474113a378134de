import type { PropertyDiff, ResourceState } from "../contract.ts";
import type { EventStream } from "./event-stream.ts";
import type { Goal } from "./goal.ts";
import { applyIgnoreChanges } from "./ignore-changes.ts";
import { diffMaps, equal } from "./property-diff.ts";
import { parsePath, pathContains } from "./property-path.ts";
import type { PropertyMap } from "./property-value.ts";
import { DiffUnavailableError } from "./provider.ts";
import type { Diff, ResourceProvider } from "./provider.ts";

/** The path that `replaceOnChanges` uses for a resource that did not come up. */
const initErrorPath = "#initerror";

const noDiff: Diff = {
  changes: "none",
  replaceKeys: [],
  changedKeys: [],
  detailedDiff: undefined,
  deleteBeforeReplace: false,
};

/** A difference that needs a replacement because of one key. */
export function replaceBecauseOf(key: string): Diff {
  return { ...noDiff, changes: "some", replaceKeys: [key] };
}

/** Compares a component's inputs: it has no provider to ask. */
export function diffComponent(old: ResourceState, inputs: PropertyMap): Diff {
  return equal(old.inputs, inputs) ? noDiff : { ...noDiff, changes: "some" };
}

/** Asks the provider how a resource differs; where it does not say, the inputs are compared. */
export async function diffResource(
  provider: ResourceProvider,
  old: ResourceState,
  urn: string,
  inputs: PropertyMap,
  ignoreChanges: readonly string[],
  events: EventStream,
): Promise<Diff> {
  try {
    const diff = await provider.diff({ urn, id: old.id ?? "" }, old, inputs, ignoreChanges);
    return diff.changes === "unknown" ? diffInputs(diff, old.inputs, inputs, ignoreChanges) : diff;
  } catch (error) {
    if (!(error instanceof DiffUnavailableError)) throw error;
    events.diagnostic("warning", error.message, { urn });
    return { ...noDiff, changes: "some" };
  }
}

function diffInputs(
  said: Diff,
  olds: PropertyMap,
  news: PropertyMap,
  ignoreChanges: readonly string[],
): Diff {
  const detailedDiff = diffMaps(olds, applyIgnoreChanges(news, olds, ignoreChanges));
  const paths = Object.keys(detailedDiff);
  if (paths.length === 0) return { ...said, changes: "none" };
  const changedKeys = [...new Set(paths.map((path) => String(parsePath(path)[0])))];
  return { ...said, changes: "some", changedKeys, detailedDiff };
}

/** Applies `replaceOnChanges`: a change at or below one of its paths needs a replacement. */
export function applyReplaceOnChanges(diff: Diff, goal: Goal, old: ResourceState): Diff {
  const failed = (old.initErrors ?? []).length > 0;
  if (goal.replaceOnChanges.length === 0 || (diff.changes !== "some" && !failed)) return diff;
  const paths = goal.replaceOnChanges.map(parsePath);
  const covers = (path: string): boolean => paths.some((one) => pathContains(one, parsePath(path)));
  const replaceKeys = new Set([...diff.replaceKeys, ...diff.changedKeys.filter(covers)]);
  const initError = failed && covers(initErrorPath);
  if (initError) replaceKeys.add(initErrorPath);
  const detailed = Object.entries(diff.detailedDiff ?? {}).map(([path, one]) => {
    if (!covers(path)) return [path, one] as const;
    replaceKeys.add(String(parsePath(path)[0]));
    return [path, toReplace(one)] as const;
  });
  return {
    ...diff,
    changes: initError ? "some" : diff.changes,
    replaceKeys: [...replaceKeys],
    detailedDiff: diff.detailedDiff === undefined ? undefined : Object.fromEntries(detailed),
  };
}

function toReplace(diff: PropertyDiff): PropertyDiff {
  const kinds = { add: "add-replace", delete: "delete-replace", update: "update-replace" } as const;
  return diff.diffKind in kinds
    ? { ...diff, diffKind: kinds[diff.diffKind as keyof typeof kinds] }
    : diff;
}
