import { without } from "./defined.ts";
import type { ResourceType } from "./resource-type.ts";
import { unknown, type Properties } from "./wire.ts";

/** What is known of a resource before it is made: its inputs; AWS's own choices are not known yet. */
export function previewCreate(type: ResourceType, inputs: Properties): Properties {
  const chosen = Object.entries(type.inputs)
    .filter(([key, { computed }]) => computed === true && inputs[key] === undefined)
    .map(([key]) => key);
  const open = [...type.outputs, ...chosen].map((key) => [key, unknown] as const);
  return { ...without(inputs, "__defaults"), ...Object.fromEntries(open) };
}

/** What is known of a resource before it is changed: the state with the new inputs over it. */
export function previewUpdate(
  type: ResourceType,
  state: Properties,
  news: Properties,
  changed: ReadonlySet<string>,
): Properties {
  const dropped = Object.entries(type.inputs)
    .filter(([key, { computed }]) => computed !== true && !(key in news))
    .map(([key]) => key);
  const kept = Object.entries(state).filter(([key]) => !dropped.includes(key));
  const more = [...changed].some((key) => key !== "tags" && key !== "tagsAll");
  const open = (more ? (type.volatile ?? []) : []).map((key) => [key, unknown] as const);
  return {
    ...Object.fromEntries(kept),
    ...without(news, "__defaults"),
    ...Object.fromEntries(open),
  };
}
