import type { ResourceState } from "../contract.ts";
import { dependenciesOf } from "./references.ts";
import { isProviderType, matchesUrn, stackType } from "./urn.ts";

/** Which resources an update may change. */
export class Targets {
  readonly #patterns: readonly string[];
  readonly #replace: readonly string[];
  readonly #dependents: boolean;
  readonly #reached = new Set<string>();

  constructor(patterns: readonly string[], replace: readonly string[], dependents: boolean) {
    this.#patterns = [...patterns, ...(patterns.length > 0 ? replace : [])];
    this.#replace = replace;
    this.#dependents = dependents;
  }

  /** Whether only some resources may be changed. */
  get constrained(): boolean {
    return this.#patterns.length > 0;
  }

  /** Whether a resource may be changed. Providers and the stack itself always may. */
  includes(state: ResourceState): boolean {
    if (!this.constrained || isProviderType(state.type) || state.type === stackType) return true;
    const named = this.#patterns.some((pattern) => matchesUrn(pattern, state.urn));
    const follows =
      this.#dependents && [...dependenciesOf(state)].some((urn) => this.#reached.has(urn));
    if (named || follows) this.#reached.add(state.urn);
    return named || follows;
  }

  /** Whether a resource was asked to be replaced though nothing changed. */
  replaces(urn: string): boolean {
    return this.#replace.some((pattern) => matchesUrn(pattern, urn));
  }

  /** Whether a deletion may happen: only of what is named, or depends on it. */
  mayDelete(state: ResourceState): boolean {
    if (!this.constrained) return true;
    const named = this.#patterns.some((pattern) => matchesUrn(pattern, state.urn));
    const follows =
      this.#dependents && [...dependenciesOf(state)].some((urn) => this.#reached.has(urn));
    if (named || follows) this.#reached.add(state.urn);
    return named || follows;
  }
}
