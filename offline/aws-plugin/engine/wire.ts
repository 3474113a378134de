import type { JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { structPb } from "./stubs.ts";

/** The key that marks a value of a kind JSON lacks (Pulumi's `sdk/go/common/resource/sig`). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";

/** How a value that is not known before the update travels (Pulumi's `plugin.UnknownStringValue`). */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Unknowns of other types: bool, number, array, asset, archive, object. */
const unknowns = new Set([
  unknown,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A resource's inputs or outputs, secrets unwrapped. */
export type Properties = Readonly<Record<string, unknown>>;

/** Whether a value is a map. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is, or holds, something that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Properties as they came, and which of them held a secret. */
export interface Received {
  readonly values: Properties;
  readonly secrets: ReadonlySet<string>;
}

function unwrapSigned(value: Record<string, unknown>, found: () => void): unknown {
  switch (value[signatureKey]) {
    case secretSignature:
      found();
      return unwrap(value["value"], found);
    case outputSignature:
      if (value["secret"] === true) found();
      return "value" in value ? unwrap(value["value"], found) : unknown;
    case resourceSignature:
      return typeof value["id"] === "string" ? unwrap(value["id"], found) : value["urn"];
    default:
      throw new Error("assets and archives are no inputs of the types this plugin has");
  }
}

function unwrap(value: unknown, found: () => void): unknown {
  if (typeof value === "string") return unknowns.has(value) ? unknown : value;
  if (Array.isArray(value)) return value.map((item) => unwrap(item, found));
  if (!isObject(value)) return value;
  if (signatureKey in value) return unwrapSigned(value, found);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, unwrap(item, found)]),
  );
}

/** Reads a message; one that is not there is empty. Values that are null are left out. */
export function receive(struct: Struct | undefined): Received {
  const secrets = new Set<string>();
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(struct?.toJavaScript() ?? {})) {
    if (value === null) continue;
    values[key] = unwrap(value, () => secrets.add(key));
  }
  return { values, secrets };
}

/** Writes a message; undefined values are left out, and the named properties are marked as secret. */
export function send(values: Properties, secrets: ReadonlySet<string> = new Set()): Struct {
  const plain: Record<string, JavaScriptValue> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    const item = JSON.parse(JSON.stringify(value)) as JavaScriptValue;
    plain[key] = secrets.has(key) ? { [signatureKey]: secretSignature, value: item } : item;
  }
  return structPb.Struct.fromJavaScript(plain);
}
