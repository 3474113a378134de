import { randomUUID } from "node:crypto";

import type { ResourceState } from "../contract.ts";
import type { PluginHost } from "./plugin-host.ts";
import { PluginProvider } from "./plugin-provider.ts";
import { equal } from "./property-diff.ts";
import { unknownText } from "./property-marshal.ts";
import type { PropertyMap } from "./property-value.ts";
import type {
  Applied,
  Checked,
  Diff,
  Invoked,
  OldState,
  Operation,
  ReadState,
  ResourceProvider,
  Subject,
} from "./provider.ts";
import { formatReference, parseReference, providerPackage, urnType } from "./urn.ts";

/** The key of a provider's inputs that is the engine's own and never sent to the plugin. */
export const internalKey = "__internal";

/** A provider that can be configured: a plugin, or the one that is built in. */
export type ConfigurableProvider = ResourceProvider &
  Pick<PluginProvider, "checkConfig" | "diffConfig" | "configure">;

/**
 * The providers of an update, by reference (`<urn>::<id>`). For the engine a provider is a resource like any other: this
 * class is what creates, compares, updates and deletes it. Each has a plugin process of its own.
 */
export class ProviderRegistry implements ResourceProvider {
  readonly #host: PluginHost;
  readonly #builtin: ConfigurableProvider;
  readonly #configured = new Map<string, Promise<ConfigurableProvider>>();
  readonly #unconfigured = new Map<string, ConfigurableProvider>();
  readonly #running = new Set<PluginProvider>();

  constructor(host: PluginHost, builtin: ConfigurableProvider) {
    this.#host = host;
    this.#builtin = builtin;
  }

  /** The configured provider of a reference. Throws when there is none. */
  async get(reference: string): Promise<ConfigurableProvider> {
    const provider = this.#configured.get(reference);
    if (provider === undefined) throw new Error(`there is no provider ${reference}`);
    return provider;
  }

  /** Whether a reference is configured. */
  has(reference: string): boolean {
    return this.#configured.has(reference);
  }

  /** Makes another reference stand for the same provider, after a rename. */
  alias(reference: string, other: string): void {
    const provider = this.#configured.get(reference);
    if (provider !== undefined && !this.#configured.has(other))
      this.#configured.set(other, provider);
  }

  /** Starts and configures the provider of a state as it was recorded, unless it runs. */
  async same(state: ResourceState): Promise<void> {
    const reference = formatReference({ urn: state.urn, id: state.id ?? "" });
    const running = this.#configured.get(reference);
    if (running !== undefined) {
      await running;
      return;
    }
    const started = this.#configureOld(state);
    this.#configured.set(reference, started);
    started.catch(() => this.#configured.delete(reference));
    await started;
  }

  async #configureOld(state: ResourceState): Promise<ConfigurableProvider> {
    const provider = await this.#take(state.urn, state.inputs);
    await provider.configure({ urn: state.urn, id: state.id ?? "" }, withoutInternal(state.inputs));
    return provider;
  }

  async check(subject: Subject, olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    const provider = await this.#start(subject.urn, news);
    const checked = await provider.checkConfig(
      subject.urn,
      withoutInternal(olds),
      withoutInternal(news),
    );
    await this.#discard(subject.urn);
    if (checked.failures.length > 0) {
      await this.#stop(provider);
      return checked;
    }
    this.#unconfigured.set(subject.urn, provider);
    const internal = news[internalKey];
    return internal === undefined
      ? checked
      : { ...checked, inputs: { ...checked.inputs, [internalKey]: internal } };
  }

  async diff(subject: Subject, old: OldState, news: PropertyMap): Promise<Diff> {
    const provider =
      this.#unconfigured.get(subject.urn) ??
      (await this.get(formatReference({ urn: subject.urn, id: subject.id })));
    const wanted = withoutInternal(news);
    const diff = await provider.diffConfig(
      subject,
      { ...old, inputs: withoutInternal(old.inputs) },
      wanted,
    );
    if (diff.changes !== "unknown") return diff;
    return { ...diff, changes: equal(old.outputs, wanted) ? "none" : "some" };
  }

  /** What a provider's new settings mean for the resources of an old one: a replacement, or nothing. */
  async replaces(reference: string, old: ResourceState, news: PropertyMap): Promise<boolean> {
    const provider = await this.get(reference);
    const subject = parseReference(reference);
    const oldState = { inputs: withoutInternal(old.inputs), outputs: old.outputs };
    const diff = await provider.diffConfig(subject, oldState, withoutInternal(news));
    return diff.replaceKeys.length > 0;
  }

  async create(subject: Subject, inputs: PropertyMap, operation: Operation): Promise<Applied> {
    const id = operation.preview ? unknownText : randomUUID();
    await this.#configureNew({ urn: subject.urn, id }, inputs);
    return { id, outputs: withoutInternal(inputs) };
  }

  async update(subject: Subject, _old: OldState, news: PropertyMap): Promise<Applied> {
    await this.#configureNew(subject, news);
    return { id: subject.id, outputs: withoutInternal(news) };
  }

  async #configureNew(subject: Subject, inputs: PropertyMap): Promise<void> {
    const provider = await this.#take(subject.urn, inputs);
    await provider.configure(subject, withoutInternal(inputs));
    this.#configured.set(formatReference(subject), Promise.resolve(provider));
  }

  async delete(subject: Subject): Promise<void> {
    const reference = formatReference(subject);
    const provider = this.#configured.get(reference);
    this.#configured.delete(reference);
    if (provider !== undefined) await this.#stop(await provider);
  }

  read(): Promise<ReadState | undefined> {
    return Promise.reject(new Error("a provider cannot be read or imported"));
  }

  invoke(): Promise<Invoked> {
    return Promise.reject(new Error("a provider has no functions"));
  }

  async #take(urn: string, inputs: PropertyMap): Promise<ConfigurableProvider> {
    const waiting = this.#unconfigured.get(urn);
    this.#unconfigured.delete(urn);
    return waiting ?? this.#start(urn, inputs);
  }

  async #discard(urn: string): Promise<void> {
    const waiting = this.#unconfigured.get(urn);
    this.#unconfigured.delete(urn);
    if (waiting !== undefined) await this.#stop(waiting);
  }

  async #start(urn: string, inputs: PropertyMap): Promise<ConfigurableProvider> {
    const name = providerPackage(urnType(urn));
    if (name === "pulumi") return this.#builtin;
    const { version } = inputs;
    const plugin = await this.#host.start(name, typeof version === "string" ? version : "");
    const provider = new PluginProvider(plugin);
    this.#running.add(provider);
    return provider;
  }

  async #stop(provider: ConfigurableProvider): Promise<void> {
    if (!(provider instanceof PluginProvider)) return;
    this.#running.delete(provider);
    await provider.plugin.stop();
  }

  /** Ends every plugin. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((provider) => provider.plugin.stop()));
  }
}

function withoutInternal(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== internalKey));
}
