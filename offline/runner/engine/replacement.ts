import type { ResourceState } from "../contract.ts";
import { dependentsOf } from "./dependents.ts";
import type { EventStream } from "./event-stream.ts";
import type { Goal } from "./goal.ts";
import type { OldProviders } from "./old-providers.ts";
import { unknown } from "./property-value.ts";
import type { PropertyValue } from "./property-value.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import type { Diff, ResourceProvider } from "./provider.ts";
import type { Step } from "./step.ts";
import { isProviderType, parseReference } from "./urn.ts";

/** What replacements work with. */
export interface ReplacementOptions {
  readonly registry: ProviderRegistry;
  readonly providers: OldProviders;
  readonly events: EventStream;
  readonly preview: boolean;
  /** URNs that the program has registered so far. */
  readonly seen: ReadonlySet<string>;
  /** The old resources in order. */
  readonly resources: readonly ResourceState[];
}

/**
 * Steps of replacements. Create first: make the new one, let its dependents follow, delete the old one at the end. Delete
 * first: delete the dependents that a change of it would replace too, then itself, then make it anew.
 */
export class Replacement {
  readonly #options: ReplacementOptions;
  readonly #deleted = new Map<string, readonly string[]>();
  readonly #deletedStates = new Set<ResourceState>();

  constructor(options: ReplacementOptions) {
    this.#options = options;
  }

  /** Whether a resource was deleted already, because it depends on one that was replaced. */
  wasDeleted(old: ResourceState | undefined): boolean {
    return old !== undefined && this.#deleted.has(old.urn);
  }

  /** Makes a resource anew that was deleted because of another one. */
  recreate(old: ResourceState, next: ResourceState): readonly Step[] {
    const keys = this.#deleted.get(old.urn) ?? [];
    this.#deleted.delete(old.urn);
    return [replaceMark(old, next, { keys }), createReplacement(old, next, { keys }, false)];
  }

  /** Makes the new resource and leaves the old one to be deleted at the end. */
  createFirst(old: ResourceState, next: ResourceState, diff: Diff): readonly Step[] {
    const why = reasons(diff);
    return [createReplacement(old, next, why, true), replaceMark(old, next, why)];
  }

  /** Takes over an existing resource, in the place of another one where there is one. */
  importSteps(
    old: ResourceState | undefined,
    next: ResourceState,
    ignoreChanges: readonly string[],
  ): readonly Step[] {
    const step = { kind: "import", urn: next.urn, next, ignoreChanges } as const;
    if (old === undefined || this.#deleted.delete(old.urn)) {
      return [{ ...step, op: "import", old, logical: true }];
    }
    return [
      { ...step, op: "import-replacement", old, logical: false, keepsOld: true },
      replaceMark(old, next, {}),
    ];
  }

  /** Replaces a resource in the order that the program, or else its provider, asks for. */
  async replace(
    goal: Goal,
    old: ResourceState,
    next: ResourceState,
    diff: Diff,
  ): Promise<readonly Step[]> {
    this.#requireReplaceable(goal, old, next);
    const deleteFirst = goal.deleteBeforeReplace ?? diff.deleteBeforeReplace;
    if (!deleteFirst && old.pendingReplacement !== true) return this.createFirst(old, next, diff);
    const steps = old.pendingReplacement === true ? [] : await this.#deleteWithDependents(old);
    const why = reasons(diff);
    return [...steps, replaceMark(old, next, why), createReplacement(old, next, why, false)];
  }

  #requireReplaceable(goal: Goal, old: ResourceState, next: ResourceState): void {
    const problems: string[] = [];
    if (old.protect === true && next.protect === true) {
      problems.push(
        "cannot be replaced because it is protected; remove `protect` from it in the program first",
      );
    }
    if (goal.importId !== "") {
      problems.push(
        "was imported and cannot be replaced while the program still says `import`; remove it",
      );
    }
    for (const problem of problems) {
      if (!this.#options.preview) throw new Error(`${next.urn} ${problem}`);
      this.#options.events.diagnostic("error", `${next.urn} ${problem}`, { urn: next.urn });
    }
  }

  async #deleteWithDependents(old: ResourceState): Promise<Step[]> {
    const dependents = await this.#dependentReplacements(old);
    const steps: Step[] = [];
    for (const { state, keys } of dependents.toReversed()) {
      if (this.#deletedStates.has(state)) continue;
      if (state.protect === true) {
        throw new Error(`${state.urn} has to be replaced with ${old.urn}, and it is protected`);
      }
      await this.#options.providers.ensure(state.provider);
      this.#deletedStates.add(state);
      this.#deleted.set(state.urn, keys);
      steps.push(deleteReplaced(state));
    }
    await this.#options.providers.ensure(old.provider);
    this.#deletedStates.add(old);
    return [...steps, deleteReplaced(old)];
  }

  async #dependentReplacements(
    root: ResourceState,
  ): Promise<{ state: ResourceState; keys: readonly string[] }[]> {
    const { resources, seen } = this.#options;
    const replaced = new Set([root.urn]);
    const found: { state: ResourceState; keys: readonly string[] }[] = [];
    for (const state of dependentsOf(resources, root, { children: false, except: seen })) {
      const keys = await this.#replacedWith(state, replaced);
      if (keys === undefined) continue;
      replaced.add(state.urn);
      found.push({ state, keys });
    }
    return found;
  }

  /** The keys for which a resource must be replaced when others are; undefined when it need not be. */
  async #replacedWith(
    state: ResourceState,
    replaced: ReadonlySet<string>,
  ): Promise<readonly string[] | undefined> {
    if (!state.custom || state.external === true) return undefined;
    if (state.provider !== undefined && replaced.has(parseReference(state.provider).urn)) return [];
    const inputs: Record<string, PropertyValue> = { ...state.inputs };
    const affected = Object.keys(inputs).filter((key) =>
      (state.propertyDependencies?.[key] ?? []).some((urn) => replaced.has(urn)),
    );
    if (affected.length === 0) return undefined;
    for (const key of affected) inputs[key] = unknown;
    const provider = await this.#oldProvider(state);
    const diff = await provider.diff({ urn: state.urn, id: state.id ?? "" }, state, inputs, []);
    return diff.replaceKeys.length > 0 ? diff.replaceKeys : undefined;
  }

  async #oldProvider(state: ResourceState): Promise<ResourceProvider> {
    const { registry, providers } = this.#options;
    if (isProviderType(state.type)) {
      await registry.same(state);
      return registry;
    }
    await providers.ensure(state.provider);
    return registry.get(state.provider ?? "");
  }
}

type Reasons = Pick<Step, "keys" | "diffs" | "detailedDiff">;

function reasons(diff: Diff): Reasons {
  return {
    keys: diff.replaceKeys.filter((key) => key !== ""),
    diffs: diff.changedKeys,
    detailedDiff: diff.detailedDiff,
  };
}

function replaceMark(old: ResourceState, next: ResourceState, why: Reasons): Step {
  return { kind: "replace", op: "replace", urn: next.urn, old, next, logical: true, ...why };
}

function createReplacement(
  old: ResourceState,
  next: ResourceState,
  why: Reasons,
  keepsOld: boolean,
): Step {
  const fresh = { ...next, created: undefined, modified: undefined };
  return {
    kind: "create",
    op: "create-replacement",
    urn: next.urn,
    old,
    next: fresh,
    logical: false,
    keepsOld,
    ...why,
  };
}

function deleteReplaced(old: ResourceState): Step {
  return {
    kind: "delete",
    op: "delete-replaced",
    urn: old.urn,
    old,
    logical: false,
    awaitsReplacement: true,
  };
}
