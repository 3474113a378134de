/** How a property's value is compared and checked. */
export type Kind = "string" | "number" | "boolean" | "json" | "map" | "list" | "set" | "object";

/** What every kind of property may say of itself. */
export interface PropertyOptions {
  readonly required?: true;
  /** A change makes a new resource. */
  readonly replace?: true;
  /** AWS chooses a value when none is given, so leaving it out later changes nothing. */
  readonly computed?: true;
  readonly default?: string | number | boolean;
  /** Strings that are accepted, where AWS's own answer to others is no help. */
  readonly oneOf?: readonly string[];
}

/** One property of a type's inputs; `T` is its value in TypeScript. */
export interface Property<T = unknown> extends PropertyOptions {
  readonly kind: Kind;
  readonly of?: Property;
  readonly fields?: Fields;
  /** Never set: it carries the type. */
  readonly sample?: T;
}

/** Properties by name. */
export type Fields = Readonly<Record<string, Property>>;

/** The values of properties; each may be missing. */
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Property<infer T> ? T | undefined : never;
};

/** Text. */
export function string(options: PropertyOptions = {}): Property<string> {
  return { kind: "string", ...options };
}

/** A number. */
export function number(options: PropertyOptions = {}): Property<number> {
  return { kind: "number", ...options };
}

/** True or false. */
export function boolean(options: PropertyOptions = {}): Property<boolean> {
  return { kind: "boolean", ...options };
}

/** A JSON document as text, compared by what it says. */
export function json(options: PropertyOptions = {}): Property<string> {
  return { kind: "json", ...options };
}

/** Text by name. */
export function map(options: PropertyOptions = {}): Property<Readonly<Record<string, string>>> {
  return { kind: "map", ...options };
}

/** Values whose order matters. */
export function list<T>(of: Property<T>, options: PropertyOptions = {}): Property<T[]> {
  return { kind: "list", of, ...options };
}

/** Values whose order does not matter. */
export function set<T>(of: Property<T>, options: PropertyOptions = {}): Property<T[]> {
  return { kind: "set", of, ...options };
}

/** Named values. */
export function object<F extends Fields>(
  fields: F,
  options: PropertyOptions = {},
): Property<ValuesOf<F>> {
  return { kind: "object", fields, ...options };
}
