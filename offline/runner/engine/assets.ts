import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";

import { Archive, Asset, isList, isMap, mapValues, Secret } from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";

/** The inputs with the hash of every asset worked out; archives and remote assets are refused. Paths are below `folder`. */
export function hashAssets(map: PropertyMap, folder: string): PropertyMap {
  return mapValues(map, (value) => hashValue(value, folder));
}

function hashValue(value: PropertyValue, folder: string): PropertyValue {
  if (value instanceof Asset)
    return value.hash === "" ? new Asset(value.source, hashOf(value, folder)) : value;
  if (value instanceof Archive)
    throw new Error("offline/runner does not support archives, only string and file assets");
  if (value instanceof Secret) return new Secret(hashValue(value.element, folder));
  if (isList(value)) return value.map((element) => hashValue(element, folder));
  return isMap(value) ? hashAssets(value, folder) : value;
}

function hashOf(asset: Asset, folder: string): string {
  const { text, path, uri } = asset.source;
  if (uri !== undefined)
    throw new Error("offline/runner does not support remote assets, only string and file assets");
  const contents =
    path === undefined ? (text ?? "") : readFileSync(isAbsolute(path) ? path : join(folder, path));
  return createHash("sha256").update(contents).digest("hex");
}
