import type { ResourceState } from "../contract.ts";
import { Secret } from "./property-value.ts";
import type { PropertyValue } from "./property-value.ts";

/** The state with those outputs made secret that were asked for, and those whose input of the same name is secret. */
export function markSecretOutputs(state: ResourceState): ResourceState {
  const asked = new Set(state.additionalSecretOutputs ?? []);
  const outputs: Record<string, PropertyValue> = { ...state.outputs };
  let changed = false;
  for (const [key, value] of Object.entries(outputs)) {
    if (value instanceof Secret || key === "id") continue;
    if (!asked.has(key) && !(state.inputs[key] instanceof Secret)) continue;
    outputs[key] = new Secret(value);
    changed = true;
  }
  return changed ? { ...state, outputs } : state;
}
