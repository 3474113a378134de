import type { ResourceState } from "../contract.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import { formatReference, isProviderType, parseReference } from "./urn.ts";

/** The provider resources of the old and the new state, to be started when a resource needs its old one. */
export class OldProviders {
  readonly #olds: Map<string, ResourceState>;
  readonly #news = new Map<string, ResourceState>();
  readonly #renamed = new Map<string, string>();
  readonly #registry: ProviderRegistry;

  constructor(resources: readonly ResourceState[], registry: ProviderRegistry) {
    const providers = resources.filter((state) => isProviderType(state.type));
    this.#olds = new Map(
      providers.map((state) => [formatReference({ urn: state.urn, id: state.id ?? "" }), state]),
    );
    this.#registry = registry;
  }

  /** The old provider of a reference. */
  find(reference: string): ResourceState | undefined {
    return this.#olds.get(reference);
  }

  /** The provider that this update registered under a URN. */
  findNew(urn: string): ResourceState | undefined {
    return this.#news.get(urn);
  }

  /** Notes a provider that this update registers. */
  noteNew(state: ResourceState): void {
    this.#news.set(state.urn, state);
  }

  /** From now on the old URN is another name of the new one. */
  rename(from: string, to: string): void {
    this.#renamed.set(from, to);
  }

  /** Makes sure that the provider of a reference runs, as it was recorded if it is an old one. */
  async ensure(reference: string | undefined): Promise<void> {
    if (reference === undefined || reference === "" || this.#registry.has(reference)) return;
    const { urn, id } = parseReference(reference);
    const renamed = this.#renamed.get(urn);
    const current = renamed === undefined ? undefined : formatReference({ urn: renamed, id });
    if (current !== undefined && this.#registry.has(current)) {
      this.#registry.alias(current, reference);
      return;
    }
    const state = this.#olds.get(reference);
    if (state === undefined)
      throw new Error(`the provider ${reference} is not in the stack's state`);
    await this.#registry.same(state);
  }
}
