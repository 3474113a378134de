import { isList, isMap, Secret } from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";

/** One step of a path: a key, an index, or `*` for all of them. */
export type PathSegment = string | number;

/** Any key or index. */
const wildcard = "*";

/**
 * Reads a property path as Pulumi writes it: `root.nested`, `root["key with .dots"]`, `list[0]`, `list[*].name`.
 * Throws when it is not one.
 */
export function parsePath(path: string): readonly PathSegment[] {
  const segments: PathSegment[] = [];
  let rest = path;
  while (rest !== "") {
    const [segment, length] = nextSegment(rest, path);
    segments.push(segment);
    rest = rest.slice(length);
    if (rest.startsWith(".")) {
      rest = rest.slice(1);
      if (rest === "" || rest.startsWith("[")) throw badPath(path);
    } else if (rest !== "" && !rest.startsWith("[")) throw badPath(path);
  }
  if (segments.length === 0) throw badPath(path);
  return segments;
}

function nextSegment(rest: string, path: string): readonly [PathSegment, number] {
  const name = /^[^.[\]]+/.exec(rest);
  if (name !== null) return [name[0], name[0].length];
  const quoted = /^\["((?:[^"\\]|\\.)*)"\]/.exec(rest);
  if (quoted !== null) return [(quoted[1] ?? "").replace(/\\(.)/g, "$1"), quoted[0].length];
  const index = /^\[(\d+|\*)\]/.exec(rest);
  if (index !== null) return [index[1] === wildcard ? wildcard : Number(index[1]), index[0].length];
  throw badPath(path);
}

function badPath(path: string): Error {
  return new Error(`"${path}" is not a property path`);
}

/** Whether `other` is at or below `path`; a `*` in `path` stands for any one segment. */
export function pathContains(path: readonly PathSegment[], other: readonly PathSegment[]): boolean {
  if (other.length < path.length) return false;
  return path.every((segment, index) => segment === wildcard || segment === other[index]);
}

/**
 * Sets what a path names in `news` back to what it is in `olds`, and removes it where `olds` has none.
 * Gives undefined when a part of the path above the last one is missing on one side only.
 */
export function resetPath(
  path: readonly PathSegment[],
  olds: PropertyMap,
  news: PropertyMap,
): PropertyMap | undefined {
  const reset = resetValue(path, olds, news);
  return reset !== undefined && isMap(reset) ? reset : undefined;
}

function resetValue(
  path: readonly PathSegment[],
  old: PropertyValue | undefined,
  next: PropertyValue | undefined,
): PropertyValue | undefined {
  if (path.length === 0) return old;
  if (old instanceof Secret || next instanceof Secret) return resetInSecret(path, old, next);
  const [segment, ...rest] = path;
  if (segment === wildcard) return resetAll(rest, old, next);
  if (isList(next) && typeof segment === "number") return resetElement(segment, rest, old, next);
  if (!isMap(next) || segment === undefined) return next;
  return resetKey(String(segment), rest, isMap(old) ? old : {}, next);
}

function resetKey(
  key: string,
  rest: readonly PathSegment[],
  old: PropertyMap,
  next: PropertyMap,
): PropertyValue | undefined {
  const oldChild = old[key];
  const nextChild = next[key];
  if (rest.length === 0) {
    if (oldChild !== undefined) return { ...next, [key]: oldChild };
    return Object.fromEntries(Object.entries(next).filter(([name]) => name !== key));
  }
  if (oldChild === undefined && nextChild === undefined) return next;
  if (oldChild === undefined || nextChild === undefined) return undefined;
  const child = resetValue(rest, oldChild, nextChild);
  return child === undefined ? undefined : { ...next, [key]: child };
}

function resetInSecret(
  path: readonly PathSegment[],
  old: PropertyValue | undefined,
  next: PropertyValue | undefined,
): PropertyValue | undefined {
  const inner = resetValue(
    path,
    old instanceof Secret ? old.element : old,
    next instanceof Secret ? next.element : next,
  );
  return inner === undefined ? undefined : new Secret(inner);
}

function resetAll(
  rest: readonly PathSegment[],
  old: PropertyValue | undefined,
  next: PropertyValue | undefined,
): PropertyValue | undefined {
  if (rest.length === 0) return old ?? next;
  if (isList(next) && isList(old)) {
    return next.map((element, index) => resetValue(rest, old[index], element) ?? element);
  }
  if (isMap(next) && isMap(old)) {
    return Object.fromEntries(
      Object.entries(next).map(([key, element]) => [
        key,
        resetValue(rest, old[key], element) ?? element,
      ]),
    );
  }
  return next;
}

function resetElement(
  index: number,
  rest: readonly PathSegment[],
  old: PropertyValue | undefined,
  next: readonly PropertyValue[],
): PropertyValue | undefined {
  const oldElement = isList(old) ? old[index] : undefined;
  if (oldElement === undefined || index >= next.length) return undefined;
  const element = resetValue(rest, oldElement, next[index]);
  return element === undefined
    ? undefined
    : next.map((value, at) => (at === index ? element : value));
}
