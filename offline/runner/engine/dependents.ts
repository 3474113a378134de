import type { ResourceState } from "../contract.ts";
import { dependenciesOf } from "./references.ts";

/**
 * The resources that depend on a root, directly or not, in the order of the list (each stands behind what it depends on).
 * Children that do not otherwise depend on it count only with `children`.
 */
export function dependentsOf(
  resources: readonly ResourceState[],
  root: ResourceState,
  options: { readonly children: boolean; readonly except?: ReadonlySet<string> | undefined },
): ResourceState[] {
  const reached = new Set([root.urn]);
  const found: ResourceState[] = [];
  const start = resources.indexOf(root);
  for (const candidate of resources.slice(start + 1)) {
    if (candidate === root || options.except?.has(candidate.urn) === true) continue;
    const urns = dependenciesOf(candidate);
    if (!options.children && candidate.parent !== undefined && !namesParent(candidate))
      urns.delete(candidate.parent);
    if (![...urns].some((urn) => reached.has(urn))) continue;
    reached.add(candidate.urn);
    found.push(candidate);
  }
  return found;
}

function namesParent(state: ResourceState): boolean {
  const { parent } = state;
  if (parent === undefined) return false;
  const named: readonly (string | null)[] = [
    ...(state.dependencies ?? []),
    ...Object.values(state.propertyDependencies ?? {}).flat(),
  ];
  return named.includes(parent) || state.deletedWith === parent;
}

/**
 * Deletes in reverse order of dependency, side by side where nothing forbids it. `run` deletes one and says whether it is
 * gone; what it depends on is then left alone if it is not.
 */
export async function deleteInOrder(
  condemned: readonly ResourceState[],
  run: (state: ResourceState) => Promise<boolean>,
): Promise<void> {
  const byUrn = Map.groupBy(condemned, (state) => state.urn);
  const blockers = new Map<ResourceState, Promise<boolean>[]>(
    condemned.map((state) => [state, []]),
  );
  const started = new Map<ResourceState, Promise<boolean>>();
  const visit = (state: ResourceState): Promise<boolean> => {
    const running = started.get(state);
    if (running !== undefined) return running;
    const gate = Promise.resolve().then(async () => {
      const gone = await Promise.all(blockers.get(state) ?? []);
      return gone.every(Boolean) ? run(state) : false;
    });
    started.set(state, gate);
    return gate;
  };
  for (const state of condemned) {
    for (const urn of dependenciesOf(state)) {
      for (const needed of byUrn.get(urn) ?? []) blockers.get(needed)?.push(visit(state));
    }
  }
  await Promise.all(condemned.map(visit));
}
