import type { TagChange } from "./resource-type.ts";
import { hasUnknown, isObject, unknown } from "./wire.ts";

/** Tags by key. */
export type TagMap = Readonly<Record<string, string>>;

/** A tag as most of AWS's APIs have it. */
export interface AwsTag {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/** The provider's default tags with a resource's own, which win; unknown when one of them is. */
export function mergeTags(defaults: TagMap, own: unknown): TagMap | string {
  if (own === undefined) return defaults;
  if (!isObject(own) || hasUnknown(own)) return unknown;
  return { ...defaults, ...(own as TagMap) };
}

/** A resource's own tags among those it has: all that no default explains, and those its inputs name. */
export function ownTags(all: TagMap, defaults: TagMap, prior: unknown): TagMap {
  const named = isObject(prior) ? prior : {};
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => defaults[key] !== value || key in named),
  );
}

/** What turns one set of tags into another; undefined when they are the same. */
export function tagChange(olds: unknown, news: unknown): TagChange | undefined {
  const old = (isObject(olds) ? olds : {}) as TagMap;
  const now = (isObject(news) ? news : {}) as TagMap;
  const set = Object.fromEntries(Object.entries(now).filter(([key, value]) => old[key] !== value));
  const remove = Object.keys(old).filter((key) => !(key in now));
  return Object.keys(set).length + remove.length === 0 ? undefined : { set, remove };
}

/** Tags as AWS's APIs take them. */
export function awsTags(tags: TagMap | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
}

/** AWS's tags by key, without those that AWS itself sets. */
export function tagMap(tags: readonly Partial<AwsTag>[] | undefined): TagMap {
  return Object.fromEntries(
    (tags ?? [])
      .map(({ Key = "", Value = "" }) => [Key, Value] as const)
      .filter(([key]) => !key.startsWith("aws:")),
  );
}
