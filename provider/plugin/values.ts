import { isDeepStrictEqual } from "node:util";
import { structPb } from "./stubs.ts";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/** The key that marks a value of a kind JSON lacks, such as a secret (Pulumi's `sdk/go/common/resource/sig`). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** How a value that is not known before the update travels (Pulumi's `plugin.UnknownStringValue`). */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A resource's inputs or outputs, secrets unwrapped. */
export type Properties = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSecret(value: unknown): value is { readonly value: unknown } {
  return isObject(value) && value[signatureKey] === secretSignature;
}

function unwrap(value: unknown): unknown {
  if (isSecret(value)) return unwrap(value.value);
  if (Array.isArray(value)) return value.map(unwrap);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item)]));
}

/** Whether a value is, or holds, something that is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isObject(value) && Object.values(value).some(hasUnknown);
}

function hasSecret(value: unknown): boolean {
  if (isSecret(value)) return true;
  if (Array.isArray(value)) return value.some(hasSecret);
  return isObject(value) && Object.values(value).some(hasSecret);
}

/** Properties as they came, and which of them held a secret. */
export interface Received {
  readonly values: Properties;
  readonly secrets: ReadonlySet<string>;
}

/** Reads a message's properties; an unset message is an empty one. */
export function receive(struct: Struct | undefined): Received {
  const raw = (struct?.toJavaScript() ?? {}) as Record<string, unknown>;
  const secrets = Object.keys(raw).filter((key) => hasSecret(raw[key]));
  return { values: unwrap(raw) as Properties, secrets: new Set(secrets) };
}

/** Properties for the wire, with the named ones marked secret; undefined ones are left out. */
export function send(values: Properties, secrets: ReadonlySet<string> = new Set()): Struct {
  const wire: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    wire[key] = secrets.has(key) ? { [signatureKey]: secretSignature, value } : value;
  }
  // Through JSON: a Struct takes plain values only, and undefined members would throw.
  const plain = JSON.parse(JSON.stringify(wire)) as Parameters<
    typeof structPb.Struct.fromJavaScript
  >[0];
  return structPb.Struct.fromJavaScript(plain);
}

/** Names among `keys` whose values differ; what is not known yet differs from everything. */
export function changedKeys(keys: readonly string[], olds: Properties, news: Properties): string[] {
  return keys.filter((key) => hasUnknown(news[key]) || !isDeepStrictEqual(olds[key], news[key]));
}
