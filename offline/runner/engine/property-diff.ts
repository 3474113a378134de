import type { DiffKind, PropertyDiff } from "../contract.ts";
import {
  Archive,
  Asset,
  isList,
  isMap,
  Output,
  ResourceReference,
  Secret,
  Unknown,
} from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";

/** Whether two values are the same; an unknown is equal to nothing, a file is compared by its hash. */
export function equal(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && equal(a.element, b.element);
  }
  if (a === b) return true;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((element, index) => equal(element, b[index]));
  }
  if (isMap(a) && isMap(b)) return equalMaps(a, b);
  return equalObjects(a, b);
}

function equalMaps(a: PropertyMap, b: PropertyMap): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

function equalObjects(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (
    (a instanceof Asset && b instanceof Asset) ||
    (a instanceof Archive && b instanceof Archive)
  ) {
    if (a.hash !== "" || b.hash !== "") return a.hash === b.hash;
    return JSON.stringify(a.source) === JSON.stringify(b.source);
  }
  if (a instanceof ResourceReference && b instanceof ResourceReference) {
    return a.urn === b.urn && a.id === b.id;
  }
  if (a instanceof Output && b instanceof Output)
    return a.secret === b.secret && equal(a.element, b.element);
  return false;
}

/** The differences between two maps, by property path; only the deepest ones. */
export function diffMaps(olds: PropertyMap, news: PropertyMap): Record<string, PropertyDiff> {
  const found: Record<string, PropertyDiff> = {};
  walkMaps(olds, news, "", found);
  return found;
}

function walkMaps(
  olds: PropertyMap,
  news: PropertyMap,
  path: string,
  found: Record<string, PropertyDiff>,
): void {
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    walk(olds[key], news[key], joinPath(path, key), found);
  }
}

function walk(
  old: PropertyValue | undefined,
  next: PropertyValue | undefined,
  path: string,
  found: Record<string, PropertyDiff>,
): void {
  if (old === undefined || next === undefined) {
    if (old !== next) record(found, path, old === undefined ? "add" : "delete");
  } else if (old instanceof Secret && next instanceof Secret) {
    walk(old.element, next.element, path, found);
  } else if (isMap(old) && isMap(next)) {
    walkMaps(old, next, path, found);
  } else if (isList(old) && isList(next)) {
    const length = Math.max(old.length, next.length);
    for (let index = 0; index < length; index += 1) {
      walk(old[index], next[index], `${path}[${index}]`, found);
    }
  } else if (!equal(old, next)) {
    record(found, path, "update");
  }
}

function record(found: Record<string, PropertyDiff>, path: string, diffKind: DiffKind): void {
  found[path] = { diffKind, inputDiff: true };
}

function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/**
 * Marks as secret in `outputs` what is secret in `inputs`, for providers that do not keep the marks themselves. A list
 * with a secret in it becomes a secret as a whole, since providers may give its elements in another order.
 */
export function annotateSecrets(outputs: PropertyMap, inputs: PropertyMap): PropertyMap {
  const annotated: Record<string, PropertyValue> = {};
  for (const [key, value] of Object.entries(outputs)) annotated[key] = annotate(value, inputs[key]);
  return annotated;
}

function annotate(output: PropertyValue, input: PropertyValue | undefined): PropertyValue {
  if (output instanceof Secret || input === undefined) return output;
  if (isMap(output) && isMap(input)) return annotateSecrets(output, input);
  return containsSecret(input) ? new Secret(output) : output;
}

/** Whether a value is a secret or holds one. */
export function containsSecret(value: PropertyValue): boolean {
  if (value instanceof Secret) return true;
  if (isList(value)) return value.some(containsSecret);
  return isMap(value) && Object.values(value).some(containsSecret);
}
