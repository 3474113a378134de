import { parsePath, resetPath } from "./property-path.ts";
import type { PropertyMap } from "./property-value.ts";

/**
 * The inputs with every ignored property as it was. Throws when a path cannot be followed in the old or the new inputs.
 * https://www.pulumi.com/docs/concepts/options/ignorechanges/
 */
export function applyIgnoreChanges(
  news: PropertyMap,
  olds: PropertyMap,
  paths: readonly string[],
): PropertyMap {
  let inputs = news;
  const missing: string[] = [];
  for (const path of paths) {
    const reset = resetPath(parsePath(path), olds, inputs);
    if (reset === undefined) missing.push(path);
    else inputs = reset;
  }
  if (missing.length > 0) {
    throw new Error(`ignoreChanges names paths of which a part is missing: ${missing.join(", ")}`);
  }
  return inputs;
}
