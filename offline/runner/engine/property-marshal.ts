import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type * as structTypes from "google-protobuf/google/protobuf/struct_pb.js";

import {
  Archive,
  Asset,
  isList,
  isMap,
  Output,
  ResourceReference,
  Secret,
  Unknown,
  unknown,
} from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";

type Struct = structTypes.Struct;

/** The key whose text says that an object is a special value. */
export const signatureKey = "4dabf18193072939515e22adb298388d";
/** Signatures of Pulumi's wire format, `sdk/nodejs/runtime/rpc.ts`. */
export const signatures = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
} as const;
/** The text that stands for a value that is not known yet. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What Pulumi's engine writes for unknowns of other types: bool, number, array, asset, archive, object. */
const unknownTexts = new Set([
  unknownText,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** What the receiver of a message understands. */
export interface MarshalOptions {
  /** Secrets stay marked; else their plain value travels. */
  readonly secrets: boolean;
  /** Resource references stay marked; else the id (or the URN) travels. */
  readonly resources: boolean;
}

/** For receivers that understand all. */
export const keepAll: MarshalOptions = { secrets: true, resources: true };
type Plain = structTypes.JavaScriptValue;

/** A value as JSON with signatures. */
export function toPlain(value: PropertyValue, options: MarshalOptions): Plain {
  if (value instanceof Secret) return secretToPlain(value.element, options);
  if (value instanceof Unknown) return unknownText;
  if (value instanceof Output) {
    const element = value.element ?? unknown;
    return value.secret ? secretToPlain(element, options) : toPlain(element, options);
  }
  if (value instanceof Asset) return signed("asset", { ...value.source, hash: value.hash });
  if (value instanceof Archive) {
    const { assets, ...rest } = value.source;
    const members = assets === undefined ? {} : { assets: mapToPlain(assets, options) };
    return signed("archive", { ...rest, ...members, hash: value.hash });
  }
  if (value instanceof ResourceReference) return referenceToPlain(value, options);
  if (isList(value)) return value.map((element) => toPlain(element, options));
  if (isMap(value)) return mapToPlain(value, options);
  return value;
}

function mapToPlain(map: PropertyMap, options: MarshalOptions): Record<string, Plain> {
  const plain: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(map)) plain[key] = toPlain(value, options);
  return plain;
}

function signed(kind: keyof typeof signatures, fields: Record<string, Plain | undefined>): Plain {
  const defined = Object.entries(fields).filter(
    (entry): entry is [string, Plain] => entry[1] !== undefined,
  );
  return { [signatureKey]: signatures[kind], ...Object.fromEntries(defined) };
}

function secretToPlain(element: PropertyValue, options: MarshalOptions): Plain {
  const plain = toPlain(element, options);
  return options.secrets ? signed("secret", { value: plain }) : plain;
}

function referenceToPlain(reference: ResourceReference, options: MarshalOptions): Plain {
  const id = reference.id instanceof Unknown ? unknownText : reference.id;
  if (!options.resources) return id ?? reference.urn;
  return signed("resource", { urn: reference.urn, id, packageVersion: reference.packageVersion });
}

/** A map as a message. */
export function toStruct(map: PropertyMap, options: MarshalOptions): Struct {
  return structPb.Struct.fromJavaScript(mapToPlain(map, options));
}

/** A message as a map; a message that is not there is an empty map. */
export function fromStruct(struct: Struct | undefined): PropertyMap {
  if (struct === undefined) return {};
  return mapFromPlain(struct.toJavaScript());
}

/** JSON with signatures as a value; a signature that is not known is an error. */
export function fromPlain(plain: unknown): PropertyValue {
  if (plain === null || plain === undefined) return null;
  if (typeof plain === "string") return unknownTexts.has(plain) ? unknown : plain;
  if (typeof plain === "boolean" || typeof plain === "number") return plain;
  if (Array.isArray(plain)) return plain.map(fromPlain);
  if (typeof plain !== "object") throw new Error(`A ${typeof plain} is not a property value`);
  const signature: unknown = (plain as Record<string, unknown>)[signatureKey];
  if (signature === undefined) return mapFromPlain(plain);
  return signedFromPlain(signature, plain as Record<string, unknown>);
}

function mapFromPlain(plain: object): PropertyMap {
  const map: Record<string, PropertyValue> = {};
  for (const [key, value] of Object.entries(plain)) map[key] = fromPlain(value);
  return map;
}

function signedFromPlain(signature: unknown, fields: Record<string, unknown>): PropertyValue {
  switch (signature) {
    case signatures.secret:
      return new Secret(fromPlain(fields["value"]));
    case signatures.asset:
      return new Asset(sourceOf(fields), text(fields["hash"]) ?? "");
    case signatures.archive:
      return archiveFromPlain(fields);
    case signatures.resource: {
      const id = fields["id"] === undefined ? undefined : fromPlain(fields["id"]);
      const known = typeof id === "string" || id instanceof Unknown ? id : undefined;
      return new ResourceReference(
        text(fields["urn"]) ?? "",
        known,
        text(fields["packageVersion"]) ?? "",
      );
    }
    case signatures.output:
      return outputFromPlain(fields);
    default:
      throw new Error(`The property signature ${String(signature)} is not supported`);
  }
}

function archiveFromPlain(fields: Record<string, unknown>): Archive {
  const { assets } = fields;
  const members = typeof assets === "object" && assets !== null ? mapFromPlain(assets) : undefined;
  return new Archive({ ...sourceOf(fields), assets: members }, text(fields["hash"]) ?? "");
}

function outputFromPlain(fields: Record<string, unknown>): PropertyValue {
  const element = "value" in fields ? fromPlain(fields["value"]) : unknown;
  return fields["secret"] === true ? new Secret(element) : element;
}

function sourceOf(fields: Record<string, unknown>): { text?: string; path?: string; uri?: string } {
  const source: { text?: string; path?: string; uri?: string } = {};
  for (const key of ["text", "path", "uri"] as const) {
    const value = text(fields[key]);
    if (value !== undefined && (value !== "" || key === "text")) source[key] = value;
  }
  return source.path !== undefined || source.uri !== undefined
    ? Object.fromEntries(Object.entries(source).filter(([key]) => key !== "text"))
    : source;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
