import type { Properties } from "./wire.ts";

/** The properties that have a value. */
export function defined(values: Properties): Properties {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Properties without one of them. */
export function without(values: Properties, left: string): Properties {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== left));
}
