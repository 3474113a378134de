/** A value that must never be shown or stored in plain text. */
export class Secret {
  readonly element: PropertyValue;

  constructor(element: PropertyValue) {
    this.element = element;
  }
}

/** A value that is not known yet, in a preview. */
export class Unknown {}

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
