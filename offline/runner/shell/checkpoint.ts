import { createHash } from "node:crypto";
import type { PendingOperation, PropertyMap, ResourceState, Snapshot } from "../contract.ts";
import {
  fromPlain,
  keepAll,
  signatureKey,
  signatures,
  toPlain,
} from "../engine/property-marshal.ts";
import { isMap } from "../engine/property-value.ts";
import type { PassphraseSecrets } from "./passphrase.ts";

type Json = Readonly<Record<string, unknown>>;

/** What a stack file of Pulumi's file backend holds (apitype.VersionedCheckpoint). */
export interface CheckpointFile {
  readonly version: 3;
  readonly checkpoint: {
    readonly stack: string;
    readonly latest?: Deployment;
  };
}

/** Pulumi's DeploymentV3. */
export interface Deployment {
  readonly manifest: { readonly time: string; readonly magic: string; readonly version: string };
  readonly secrets_providers?: { readonly type: string; readonly state?: Json };
  readonly resources?: readonly Json[];
  readonly pending_operations?: readonly { readonly resource: Json; readonly type: string }[];
  readonly metadata?: Json;
}

/** How secrets go out: encrypted, or opened on request. */
export type SecretForm = "encrypted" | "plain";

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Secrets as the checkpoint has them: the JSON of the value, encrypted. */
function sealed(value: unknown, secrets: PassphraseSecrets, form: SecretForm): unknown {
  if (Array.isArray(value)) return value.map((element) => sealed(element, secrets, form));
  if (!isObject(value)) return value;
  if (value[signatureKey] === signatures.secret) {
    const plaintext = JSON.stringify(value["value"]);
    const content = form === "plain" ? { plaintext } : { ciphertext: secrets.encrypt(plaintext) };
    return { [signatureKey]: signatures.secret, ...content };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [key, sealed(element, secrets, form)]),
  );
}

function opened(value: unknown, secrets: () => PassphraseSecrets): unknown {
  if (Array.isArray(value)) return value.map((element) => opened(element, secrets));
  if (!isObject(value)) return value;
  if (value[signatureKey] === signatures.secret) {
    const { plaintext, ciphertext } = value as { plaintext?: string; ciphertext?: string };
    const text = plaintext ?? secrets().decrypt(ciphertext ?? "");
    return { [signatureKey]: signatures.secret, value: JSON.parse(text) as unknown };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [key, opened(element, secrets)]),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

const always = new Set(["urn", "custom", "type"]);

function resourceToJson(state: ResourceState, secrets: PassphraseSecrets, form: SecretForm): Json {
  const { extra, inputs, outputs, ...fields } = state;
  const properties = (map: PropertyMap) => sealed(toPlain(map, keepAll), secrets, form);
  const all = { ...fields, inputs: properties(inputs), outputs: properties(outputs), ...extra };
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => always.has(key) || !isEmpty(value)),
  );
}

const knownFields = new Set([
  ...[
    "urn",
    "custom",
    "delete",
    "id",
    "type",
    "parent",
    "protect",
    "taint",
    "external",
    "dependencies",
    "initErrors",
  ],
  ...[
    "provider",
    "propertyDependencies",
    "pendingReplacement",
    "additionalSecretOutputs",
    "aliases",
    "customTimeouts",
  ],
  ...[
    "importID",
    "retainOnDelete",
    "deletedWith",
    "created",
    "modified",
    "sourcePosition",
    "ignoreChanges",
  ],
  ...["replaceOnChanges", "hideDiff", "refreshBeforeUpdate"],
]);

/** Go writes an empty list as null. */
function propertyDependencies(value: unknown): Pick<ResourceState, "propertyDependencies"> {
  if (!isObject(value)) return {};
  const lists = Object.entries(value).map(([key, urns]) => [key, urns ?? []] as const);
  return { propertyDependencies: Object.fromEntries(lists) as Record<string, string[]> };
}

function resourceFromJson(json: Json, secrets: () => PassphraseSecrets): ResourceState {
  const properties = (value: unknown): PropertyMap => {
    const map = fromPlain(opened(value ?? {}, secrets));
    return isMap(map) ? map : {};
  };
  const { inputs, outputs, ...rest } = json;
  const known = Object.entries(rest).filter(
    ([key, value]) => knownFields.has(key) && value !== null,
  );
  const extra = Object.fromEntries(Object.entries(rest).filter(([key]) => !knownFields.has(key)));
  const state = {
    ...Object.fromEntries(known),
    ...propertyDependencies(rest["propertyDependencies"]),
    inputs: properties(inputs),
    outputs: properties(outputs),
  };
  return (isEmpty(extra) ? state : { ...state, extra }) as unknown as ResourceState;
}

/** The engine whose checkpoints these are like: the version that Pulumi's stack file names. */
const engineVersion = "v3.260.0";

/** Pulumi refuses a checkpoint whose magic is not the SHA-256 of its version ("magic cookie mismatch"). */
function manifest(): Deployment["manifest"] {
  const magic = createHash("sha256").update(engineVersion).digest("hex");
  return { time: new Date().toISOString(), magic, version: engineVersion };
}

/** The deployment of a snapshot. */
export function toDeployment(
  snapshot: Snapshot,
  secrets: PassphraseSecrets,
  form: SecretForm,
): Deployment {
  const pending = snapshot.pendingOperations.map(({ resource, type }) => ({
    resource: resourceToJson(resource, secrets, form),
    type,
  }));
  return {
    manifest: manifest(),
    secrets_providers: { type: "passphrase", state: { salt: secrets.salt } },
    resources: snapshot.resources.map((state) => resourceToJson(state, secrets, form)),
    ...(pending.length > 0 ? { pending_operations: pending } : {}),
    metadata: {},
  };
}

/** The snapshot of a deployment; `secrets` is asked only when there is a secret in it. */
export function fromDeployment(
  deployment: Deployment | undefined,
  secrets: () => PassphraseSecrets,
): Snapshot {
  const operations = deployment?.pending_operations ?? [];
  return {
    resources: (deployment?.resources ?? []).map((json) => resourceFromJson(json, secrets)),
    pendingOperations: operations.map(({ resource, type }) => ({
      resource: resourceFromJson(resource, secrets),
      type: type as PendingOperation["type"],
    })),
  };
}
