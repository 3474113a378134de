/** A value that must never be shown or stored in plain text. */
export class Secret {
  readonly element: PropertyValue;

  constructor(element: PropertyValue) {
    this.element = element;
  }
}

/** A value that is not known yet, in a preview. */
export class Unknown {
  readonly unknown: true = true as const;
}

/** The one {@link Unknown}; compare with `instanceof Unknown`. */
export const unknown: Unknown = new Unknown();

/** An output of a program as it travels to the monitor: a value with what it depends on. */
export class Output {
  /** The value, or undefined where it is not known. */
  readonly element: PropertyValue | undefined;
  readonly secret: boolean;
  readonly dependencies: readonly string[];

  constructor(
    element: PropertyValue | undefined,
    secret: boolean,
    dependencies: readonly string[],
  ) {
    this.element = element;
    this.secret = secret;
    this.dependencies = dependencies;
  }
}

/** What an asset is made of; exactly one of the three is set. */
export interface AssetSource {
  readonly text?: string | undefined;
  readonly path?: string | undefined;
  readonly uri?: string | undefined;
}

/** One file, as a value. */
export class Asset {
  readonly source: AssetSource;
  /** SHA-256 of the contents in hex; empty where it is not computed yet. */
  readonly hash: string;

  constructor(source: AssetSource, hash: string) {
    this.source = source;
    this.hash = hash;
  }
}

/** What an archive is made of; exactly one of the three is set. */
export interface ArchiveSource {
  readonly assets?: Readonly<Record<string, PropertyValue>> | undefined;
  readonly path?: string | undefined;
  readonly uri?: string | undefined;
}

/** Several files, as a value. */
export class Archive {
  readonly source: ArchiveSource;
  /** SHA-256 in hex; empty where it is not computed yet. */
  readonly hash: string;

  constructor(source: ArchiveSource, hash: string) {
    this.source = source;
    this.hash = hash;
  }
}

/** A resource passed as a value. */
export class ResourceReference {
  readonly urn: string;
  /** The id; undefined for a component, {@link Unknown} or empty in a preview of a creation. */
  readonly id: string | Unknown | undefined;
  readonly packageVersion: string;

  constructor(urn: string, id: string | Unknown | undefined, packageVersion: string) {
    this.urn = urn;
    this.id = id;
    this.packageVersion = packageVersion;
  }
}

/** Any value of a property, in memory. Plain objects are maps; the classes of this file are told apart by `instanceof`. */
export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | readonly PropertyValue[]
  | PropertyMap
  | Secret
  | Unknown
  | Output
  | Asset
  | Archive
  | ResourceReference;

/** A map of properties. A property that is not there is left out, never `undefined`. */
export interface PropertyMap {
  readonly [key: string]: PropertyValue;
}

/** Whether a value is a plain map of properties. */
export function isMap(value: PropertyValue | undefined): value is PropertyMap {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value is a list. */
export function isList(value: PropertyValue | undefined): value is readonly PropertyValue[] {
  return Array.isArray(value);
}

/** Whether a value is an {@link Unknown} or holds one. */
export function containsUnknown(value: PropertyValue): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret) return containsUnknown(value.element);
  if (value instanceof Output) return value.element === undefined || containsUnknown(value.element);
  if (value instanceof ResourceReference) return value.id instanceof Unknown;
  if (isList(value)) return value.some(containsUnknown);
  return isMap(value) && Object.values(value).some(containsUnknown);
}

/** The value with every secret opened and every output unwrapped. */
export function reveal(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return reveal(value.element);
  if (value instanceof Output) return value.element === undefined ? unknown : reveal(value.element);
  if (isList(value)) return value.map(reveal);
  if (isMap(value)) return mapValues(value, reveal);
  return value;
}

/** A map with each value put through a function. */
export function mapValues(
  map: PropertyMap,
  change: (value: PropertyValue, key: string) => PropertyValue,
): PropertyMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}
