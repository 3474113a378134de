import type { Clients } from "./clients.ts";
import { map, string, type Fields, type ValuesOf } from "./schema.ts";
import type { Properties } from "./wire.ts";

/** What one operation may use. */
export interface Context {
  readonly region: string;
  readonly clients: Clients;
  /** Seconds the program gave this operation by `customTimeouts`; 0 when it gave none. */
  readonly timeoutSeconds: number;
  /** Fires when the engine asks all operations to end. */
  readonly signal: AbortSignal;
  /** One line in the engine's log, under this resource. */
  log(message: string): void;
}

/** A resource that AWS has made. */
interface Created {
  readonly id: string;
  /** What only the creation's answer says. */
  readonly known?: Properties;
  /** The rest of the way; when it fails, the resource stands in the state as one that did not come up. */
  readonly finish?: () => Promise<void>;
}

/** How a physical name is made from the logical one. */
export interface AutoName {
  readonly property: string;
  /** The longest name AWS takes. */
  readonly limit: number;
  readonly lowercase?: true;
}

/** Tags to set and keys to remove. */
export interface TagChange {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/** The inputs of every type besides its own. */
const shared = {
  region: string({ computed: true, replace: true }),
  tags: map(),
  tagsAll: map({ computed: true }),
};

/** The values of a type's inputs; `tagsAll` are its tags with the provider's default ones. */
export type InputsOf<F extends Fields> = ValuesOf<F> & ValuesOf<typeof shared>;

/** What is to become of a resource. */
interface Update<F extends Fields> {
  readonly olds: Properties;
  readonly news: InputsOf<F>;
  /** Names of the inputs that differ. */
  readonly changed: ReadonlySet<string>;
}

/** One resource type, told in the terms of AWS; checks, diffs, previews and secrets are the engine folder's. */
export interface ResourceDefinition<F extends Fields> {
  readonly token: string;
  readonly inputs: F;
  /** Outputs that are not inputs, so not known before the creation. */
  readonly outputs: readonly string[];
  /** Outputs that an update may change. */
  readonly volatile?: readonly string[];
  /** Whether it lives in a region. @default true */
  readonly regional?: false;
  /** Sets and removes tags of one that exists; a type without it takes no tags. */
  readonly tag?: (
    context: Context,
    id: string,
    change: TagChange,
    state: Properties,
  ) => Promise<void>;
  readonly name?: AutoName;
  readonly deleteBeforeReplace?: true;
  /** What is wrong with the inputs as a whole, by property. */
  readonly check?: (inputs: InputsOf<F>) => Readonly<Record<string, string>>;
  readonly create: (context: Context, inputs: InputsOf<F>) => Promise<Created>;
  /**
   * The resource as it is; undefined when it is gone. A property left out keeps its value, one that is undefined is unset.
   * `id` says what the state's id is to be, where an import takes another one.
   */
  readonly read: (
    context: Context,
    id: string,
    state: Properties,
  ) => Promise<Properties | undefined>;
  /** Changes all but the tags. A type without it is only ever replaced, or has nothing else to change. */
  readonly update?: (context: Context, id: string, update: Update<F>) => Promise<void>;
  /** Ends it and waits until it is gone; one that is gone already is no error. */
  readonly delete: (context: Context, id: string, state: Properties) => Promise<void>;
}

/** A resource type whose inputs are known at run time only. */
export type ResourceType = ResourceDefinition<Fields>;

/** Checks a definition's types against its inputs, and completes those with what all types take. */
export function resourceType<const F extends Fields>(
  definition: ResourceDefinition<F>,
): ResourceType {
  const { region, tags, tagsAll } = shared;
  const inputs = {
    ...definition.inputs,
    ...(definition.regional === false ? {} : { region }),
    ...(definition.tag === undefined ? {} : { tags, tagsAll }),
  };
  return { ...(definition as unknown as ResourceType), inputs };
}
