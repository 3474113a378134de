import type { PropertyDiff } from "../contract.ts";
import type { PropertyMap } from "./property-value.ts";

/** One property that a provider does not accept. */
export interface CheckFailure {
  /** "" when it is about the whole resource. */
  readonly property: string;
  readonly reason: string;
}

/** What a check made of the inputs. */
export interface Checked {
  readonly inputs: PropertyMap;
  readonly failures: readonly CheckFailure[];
}

/** How a resource differs from what is wanted. */
export interface Diff {
  readonly changes: "none" | "some" | "unknown";
  /** Properties that need a replacement. */
  readonly replaceKeys: readonly string[];
  readonly changedKeys: readonly string[];
  readonly detailedDiff: Readonly<Record<string, PropertyDiff>> | undefined;
  readonly deleteBeforeReplace: boolean;
}

/** Which resource a call is about. */
export interface Subject {
  readonly urn: string;
  /** "" for one that does not exist yet. */
  readonly id: string;
}

/** The state that a diff, an update or a deletion starts from. */
export interface OldState {
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
}

/** What a creation or an update gave; a partial one says why it is not complete. */
export interface Applied {
  readonly id: string;
  readonly outputs: PropertyMap;
  /** Undefined when the resource is as wanted; else it exists and these things went wrong. */
  readonly initErrors?: readonly string[] | undefined;
  /** The message of a partial failure. */
  readonly failure?: string | undefined;
}

/** What a read gave; undefined inputs mean that the provider did not say them. */
export interface ReadState {
  readonly id: string;
  readonly outputs: PropertyMap;
  readonly inputs: PropertyMap | undefined;
  readonly initErrors?: readonly string[] | undefined;
}

/** Options of one operation. */
export interface Operation {
  /** Seconds; 0 or undefined means the default. */
  readonly timeout?: number | undefined;
  /** Nothing may be changed; unknowns may be in the inputs. */
  readonly preview: boolean;
}

/** What manages resources: a plugin, the registry of providers, or the engine itself. */
export interface ResourceProvider {
  check(subject: Subject, olds: PropertyMap, news: PropertyMap): Promise<Checked>;
  diff(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    ignoreChanges: readonly string[],
  ): Promise<Diff>;
  create(subject: Subject, inputs: PropertyMap, operation: Operation): Promise<Applied>;
  /** Undefined when there is no such resource any more. */
  read(subject: Subject, state: OldState, operation: Operation): Promise<ReadState | undefined>;
  update(
    subject: Subject,
    old: OldState,
    news: PropertyMap,
    change: UpdateOperation,
  ): Promise<Applied>;
  delete(subject: Subject, old: OldState, operation: Operation): Promise<void>;
  invoke(token: string, args: PropertyMap, preview: boolean): Promise<Invoked>;
}

/** Options of an update. */
export interface UpdateOperation extends Operation {
  readonly ignoreChanges: readonly string[];
}

/** What a function gave. */
export interface Invoked {
  readonly result: PropertyMap;
  readonly failures: readonly CheckFailure[];
  /** True when it could not be called in a preview, since its provider's settings are not known. */
  readonly unknown?: boolean | undefined;
}

/** An error of a provider's call, told so that a person knows which resource and which plugin it is about. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  /** True when it cannot be said whether the operation took effect: the plugin died, hung or answered nonsense. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, outcomeUnknown: boolean, options?: ErrorOptions) {
    super(message, options);
    this.outcomeUnknown = outcomeUnknown;
  }
}

/** Said instead of a diff while the provider's own settings are not known: the resource is taken as changed. */
export class DiffUnavailableError extends Error {
  override readonly name = "DiffUnavailableError";
}
