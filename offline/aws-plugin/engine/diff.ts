import type { Fields, Property } from "./schema.ts";
import { isEmpty, sameValue } from "./compare.ts";
import { isObject, type Properties } from "./wire.ts";

/** How one property differs. */
export interface Change {
  /** Pulumi's path, such as `ingress[0].fromPort` or `tags["a:b"]`. */
  readonly path: string;
  readonly kind: "add" | "delete" | "update";
  readonly replace: boolean;
}

function member(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function deeper(property: Property, old: unknown, now: unknown, path: string, replace: boolean) {
  if (property.kind === "map" && isObject(old) && isObject(now)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return keys.flatMap((key) =>
      changesOf({ kind: "string" }, old[key], now[key], member(path, key), replace),
    );
  }
  if (property.fields !== undefined && isObject(old) && isObject(now)) {
    return Object.entries(property.fields).flatMap(([key, field]) =>
      changesOf(field, old[key], now[key], member(path, key), replace),
    );
  }
  const { of, kind } = property;
  if (of !== undefined && kind === "list" && Array.isArray(old) && Array.isArray(now)) {
    return Array.from({ length: Math.max(old.length, now.length) }, (_, index) =>
      changesOf(of, old[index], now[index], `${path}[${index}]`, replace),
    ).flat();
  }
  return undefined;
}

function changesOf(
  property: Property,
  old: unknown,
  now: unknown,
  path: string,
  replaceAbove = false,
): readonly Change[] {
  if (sameValue(property, old, now)) return [];
  if (property.computed === true && isEmpty(now) && now !== false) return [];
  const replace = replaceAbove || property.replace === true;
  const below = deeper(property, old, now, path, replace);
  if (below !== undefined && below.length > 0) return below;
  const kind = old === undefined ? "add" : now === undefined ? "delete" : "update";
  return [{ path, kind, replace }];
}

/** Every difference between old and new inputs. */
export function diffInputs(fields: Fields, olds: Properties, news: Properties): readonly Change[] {
  return Object.entries(fields).flatMap(([key, property]) =>
    changesOf(property, olds[key], news[key], key),
  );
}

/**
 * The inputs that differ, by name.
 *
 * @param loose compares what is asked with what is there: what is not asked for may have any value
 */
export function changedInputs(
  fields: Fields,
  olds: Properties,
  news: Properties,
  loose = false,
): ReadonlySet<string> {
  return new Set(
    Object.entries(fields)
      .filter(([key]) => !loose || olds[key] !== undefined)
      .filter(([key, property]) => !sameValue(property, olds[key], news[key], loose))
      .map(([key]) => key),
  );
}
