import { isDeepStrictEqual } from "node:util";
import type { Property } from "./schema.ts";
import { isObject, unknown } from "./wire.ts";

/** A list of one thing says the same as the thing, in the policies of AWS. */
function simplify(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(simplify);
    if (items.length === 1) return items[0];
    return items.every((item) => typeof item === "string") ? items.toSorted() : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, simplify(item)]));
}

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return simplify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Whether a value says no more than a missing one. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).filter((key) => key !== "__defaults").length === 0;
}

function sameSets(
  property: Property,
  old: readonly unknown[],
  now: readonly unknown[],
  loose: boolean,
): boolean {
  if (old.length !== now.length) return false;
  const left = [...now];
  return old.every((item) => {
    const at = left.findIndex((other) => sameValue(property, item, other, loose));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function sameFields(
  property: Property,
  old: Record<string, unknown>,
  now: Record<string, unknown>,
  loose: boolean,
): boolean {
  return Object.entries(property.fields ?? {}).every(([key, field]) => {
    if (isEmpty(old[key]) && (loose || field.computed === true)) return true;
    return sameValue(field, old[key], now[key], loose);
  });
}

function sameLists(
  property: Property,
  old: readonly unknown[],
  now: readonly unknown[],
  loose: boolean,
): boolean {
  if (old.length !== now.length) return false;
  return old.every((item, index) => sameValue(property, item, now[index], loose));
}

function sameFull(property: Property, old: unknown, now: unknown, loose: boolean): boolean {
  const { kind, of, fields } = property;
  if (kind === "json") return isDeepStrictEqual(parsed(old), parsed(now));
  if (of !== undefined && Array.isArray(old) && Array.isArray(now)) {
    return kind === "set" ? sameSets(of, old, now, loose) : sameLists(of, old, now, loose);
  }
  if (fields !== undefined && isObject(old) && isObject(now)) {
    return sameFields(property, old, now, loose);
  }
  return isDeepStrictEqual(old, now);
}

/**
 * Whether two values of a property say the same.
 *
 * @param loose compares what was asked with what is there: fields that were not asked for may have any value
 */
export function sameValue(property: Property, old: unknown, now: unknown, loose = false): boolean {
  if (old === unknown || now === unknown) return false;
  if (!isEmpty(old) && !isEmpty(now)) return sameFull(property, old, now, loose);
  if (isEmpty(old) && isEmpty(now)) return true;
  const given = isEmpty(old) ? now : old;
  return property.default !== undefined && given === property.default;
}
