import { isEmpty, sameValue } from "./compare.ts";
import type { ResourceType } from "./resource-type.ts";
import { ownTags, type TagMap } from "./tags.ts";
import { isObject, type Properties } from "./wire.ts";

/**
 * A resource's outputs from what was known of it and what was found. Where both say the same, the known wording stays:
 * the order of a set, the spelling of a policy, fields that were never asked for.
 */
export function observe(
  type: ResourceType,
  known: Properties,
  found: Properties,
  defaultTags: TagMap,
): Properties {
  const outputs = new Map(Object.entries(known));
  outputs.delete("__defaults");
  const all = found["tagsAll"];
  const tags = isObject(all) ? { tags: ownTags(all as TagMap, defaultTags, known["tags"]) } : {};
  const now: Properties = { ...found, ...tags };
  for (const [key, value] of Object.entries(now)) {
    const property = type.inputs[key];
    const before = known[key];
    const same =
      property !== undefined && before !== undefined && sameValue(property, before, value, true);
    if (same) continue;
    if (value === undefined) outputs.delete(key);
    else outputs.set(key, value);
  }
  return Object.fromEntries(outputs);
}

/** The inputs that a program would have to give to get a resource as it was found: what it gave, and what it would have to. */
export function inputsOf(type: ResourceType, before: Properties, outputs: Properties): Properties {
  const entries = Object.entries(type.inputs).flatMap(([key, property]) => {
    const value = outputs[key];
    const given = key in before || key === type.name?.property;
    const wanted = property.computed !== true && !isEmpty(value) && value !== property.default;
    return value !== undefined && (given || wanted) ? [[key, value] as const] : [];
  });
  const defaults = "__defaults" in before ? { __defaults: before["__defaults"] } : {};
  return { ...Object.fromEntries(entries), ...defaults };
}
