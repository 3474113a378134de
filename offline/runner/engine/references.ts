import type { ResourceState } from "../contract.ts";
import { formatReference, parseReference } from "./urn.ts";

/** The URNs that a resource cannot be without: parent, provider, dependencies, what it is deleted with. */
export function dependenciesOf(state: ResourceState): Set<string> {
  const urns = new Set(state.dependencies ?? []);
  // Pulumi's engine writes null for a property without dependencies.
  const lists: readonly (readonly string[] | null)[] = Object.values(
    state.propertyDependencies ?? {},
  );
  for (const list of lists) for (const urn of list ?? []) urns.add(urn);
  for (const urn of [state.parent, state.deletedWith])
    if (urn !== undefined && urn !== "") urns.add(urn);
  if (state.provider !== undefined && state.provider !== "")
    urns.add(parseReference(state.provider).urn);
  urns.delete(state.urn);
  return urns;
}

/** The state with every URN that it refers to renamed; the same object when none is. */
export function renameReferences(
  state: ResourceState,
  renamed: ReadonlyMap<string, string>,
): ResourceState {
  if (![...dependenciesOf(state)].some((urn) => renamed.has(urn))) return state;
  const rename = (urn: string): string => renamed.get(urn) ?? urn;
  const { parent, deletedWith, provider, dependencies, propertyDependencies } = state;
  const renamedProvider = (reference: string): string => {
    const { urn, id } = parseReference(reference);
    return formatReference({ urn: rename(urn), id });
  };
  return {
    ...state,
    ...(parent === undefined ? {} : { parent: rename(parent) }),
    ...(deletedWith === undefined ? {} : { deletedWith: rename(deletedWith) }),
    ...(provider === undefined || provider === "" ? {} : { provider: renamedProvider(provider) }),
    ...(dependencies === undefined ? {} : { dependencies: dependencies.map(rename) }),
    ...(propertyDependencies === undefined
      ? {}
      : { propertyDependencies: mapLists(propertyDependencies, rename) }),
  };
}

/** The state without references to URNs that are gone. */
export function dropReferences(state: ResourceState, gone: ReadonlySet<string>): ResourceState {
  if (![...dependenciesOf(state)].some((urn) => gone.has(urn))) return state;
  const { parent, deletedWith, dependencies, propertyDependencies, ...rest } = state;
  const kept: Record<string, readonly string[]> = {};
  for (const [key, urns] of Object.entries(propertyDependencies ?? {}))
    kept[key] = emptyIfNull(urns).filter((urn) => !gone.has(urn));
  return {
    ...rest,
    ...(parent === undefined || gone.has(parent) ? {} : { parent }),
    ...(deletedWith === undefined || gone.has(deletedWith) ? {} : { deletedWith }),
    ...(dependencies === undefined
      ? {}
      : { dependencies: dependencies.filter((urn) => !gone.has(urn)) }),
    ...(propertyDependencies === undefined ? {} : { propertyDependencies: kept }),
  };
}

function mapLists(
  lists: Readonly<Record<string, readonly string[]>>,
  change: (urn: string) => string,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(lists).map(([key, urns]) => [key, emptyIfNull(urns).map(change)]),
  );
}

function emptyIfNull(urns: readonly string[] | null): readonly string[] {
  return urns ?? [];
}
