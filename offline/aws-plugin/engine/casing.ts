import { isObject } from "./wire.ts";

function convert(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, rename));
  if (value instanceof Date) return value.toISOString();
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && key !== "__defaults")
      .map(([key, item]) => [rename(key), convert(item, rename)]),
  );
}

/** A value with the keys of Pulumi's properties as an API's value of type `T`: `maxPrice` becomes `MaxPrice`. */
export function toAws(value: unknown): unknown {
  return convert(value, (key) => key.charAt(0).toUpperCase() + key.slice(1));
}

/** An API's value with the keys of Pulumi's properties. */
export function fromAws(value: unknown): unknown {
  return convert(value, (key) => key.charAt(0).toLowerCase() + key.slice(1));
}
