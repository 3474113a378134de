import type { ConfigValue } from "../contract.ts";
import { plainGoal } from "./goal.ts";
import type { Goal } from "./goal.ts";
import { internalKey } from "./provider-registry.ts";
import { Secret } from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";
import { defaultProviderName, formatReference, providerType } from "./urn.ts";

/** A provider's inputs with the version of its plugin, recorded as Pulumi's engine records it. */
export function withProviderVersion(inputs: PropertyMap, version: string): PropertyMap {
  return version === "" ? inputs : { ...inputs, [internalKey]: {}, version };
}

/** Registers a goal; gives the URN and id of what became of it. */
export type RegisterProvider = (
  goal: Goal,
) => Promise<{ readonly urn: string; readonly id: string }>;

/**
 * The providers that a program uses without naming one: one for each package and version, with the settings of the
 * package's configuration namespace.
 */
export class DefaultProviders {
  readonly #config: ReadonlyMap<string, ConfigValue>;
  readonly #register: RegisterProvider;
  readonly #references = new Map<string, Promise<string>>();

  constructor(config: ReadonlyMap<string, ConfigValue>, register: RegisterProvider) {
    this.#config = config;
    this.#register = register;
  }

  /** The reference of a package's default provider, registered the first time that it is asked for. */
  reference(packageName: string, version: string): Promise<string> {
    const key = `${packageName}@${version}`;
    const known = this.#references.get(key);
    if (known !== undefined) return known;
    const reference = this.#registerDefault(packageName, version);
    this.#references.set(key, reference);
    return reference;
  }

  async #registerDefault(packageName: string, version: string): Promise<string> {
    this.#requireAllowed(packageName);
    const inputs = withProviderVersion(this.#settings(packageName), version);
    const goal = plainGoal(providerType(packageName), defaultProviderName(version), inputs);
    return formatReference(await this.#register(goal));
  }

  #settings(packageName: string): PropertyMap {
    const inputs: Record<string, PropertyValue> = {};
    for (const [key, { value, secret }] of this.#config) {
      if (!key.startsWith(`${packageName}:`)) continue;
      inputs[key.slice(packageName.length + 1)] = secret ? new Secret(value) : value;
    }
    return inputs;
  }

  #requireAllowed(packageName: string): void {
    const setting = this.#config.get("pulumi:disable-default-providers")?.value ?? "";
    if (setting === "" || packageName === "pulumi") return;
    const denied: unknown = JSON.parse(setting);
    if (Array.isArray(denied) && (denied.includes("*") || denied.includes(packageName))) {
      throw new Error(
        `The default provider of "${packageName}" is switched off by pulumi:disable-default-providers; pass a provider`,
      );
    }
  }
}
