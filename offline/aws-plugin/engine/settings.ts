import { OfflineError } from "../../offline-error.ts";
import type { TagMap } from "./tags.ts";
import { isObject, type Properties } from "./wire.ts";

/** What the provider was configured with. */
export interface Settings {
  readonly region: string;
  readonly defaultTags: TagMap;
  /** Retries after the first try of a call. */
  readonly maxRetries: number | undefined;
  /** Where a service is, by its name; `*` stands for all others. */
  readonly endpoints: ReadonlyMap<string, string>;
  readonly keys:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken?: string;
      }
    | undefined;
}

/** Settings of the real provider that mean nothing here, and are accepted. */
const ignored = [
  "skipCredentialsValidation",
  "skipMetadataApiCheck",
  "skipRegionValidation",
  "skipRequestingAccountId",
  "s3UsePathStyle",
  "s3UsEast1RegionalEndpoint",
  "insecure",
  "profile",
  "retryMode",
  "version",
  "pluginDownloadURL",
];

/** All settings that are accepted. */
export const settingNames: readonly string[] = [
  "region",
  "defaultTags",
  "maxRetries",
  "endpoints",
  "accessKey",
  "secretKey",
  "token",
  ...ignored,
];

function isLoopback(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, hostname } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, "");
  return (
    protocol.startsWith("http") &&
    (host === "::1" || host === "localhost" || /^127(\.\d{1,3}){3}$/.test(host))
  );
}

const remoteHint =
  "For a real account install the real plugin (pulumi plugin install resource aws 7.48.0) and take offline/aws-plugin off PATH; for the emulated one start it and set AWS_ENDPOINT_URL to its address. BERTH_AWS_PLUGIN_ALLOW_REMOTE=1 lifts this check.";

/**
 * The endpoints to use.
 *
 * @throws OfflineError when one is missing or leads off this machine
 */
function endpointsOf(given: unknown, environment: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  const endpoints = new Map<string, string>();
  for (const entry of Array.isArray(given) ? given : [given]) {
    for (const [service, url] of Object.entries(isObject(entry) ? entry : {})) {
      if (typeof url === "string" && url !== "") endpoints.set(service, url);
    }
  }
  const everywhere = environment["AWS_ENDPOINT_URL"] ?? "";
  if (everywhere !== "") endpoints.set("*", everywhere);
  if (environment["BERTH_AWS_PLUGIN_ALLOW_REMOTE"] === "1") return endpoints;
  if (!endpoints.has("*")) {
    throw new OfflineError(
      "This plugin is for an AWS emulated on this machine, and AWS_ENDPOINT_URL is not set.",
      remoteHint,
    );
  }
  for (const [service, url] of endpoints) {
    if (isLoopback(url)) continue;
    const whose = service === "*" ? "AWS_ENDPOINT_URL" : `the endpoint of ${service}`;
    throw new OfflineError(
      `This plugin is for an AWS emulated on this machine; ${whose} is ${url}, which is not loopback.`,
      remoteHint,
    );
  }
  return endpoints;
}

/** A map or list setting, which may arrive as JSON text. */
function structured(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  return JSON.parse(value) as unknown;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function keysOf(config: Properties): Settings["keys"] {
  const accessKeyId = text(config["accessKey"]);
  const secretAccessKey = text(config["secretKey"]);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  const sessionToken = text(config["token"]);
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/**
 * The provider's settings from its configuration and the environment.
 *
 * @throws OfflineError when there is no region, or an endpoint is not loopback
 */
export function readSettings(config: Properties, environment: NodeJS.ProcessEnv): Settings {
  const region =
    text(config["region"]) ??
    text(environment["AWS_REGION"]) ??
    text(environment["AWS_DEFAULT_REGION"]);
  if (region === undefined) {
    throw new OfflineError(
      "The AWS provider has no region.",
      "pulumi config set aws:region us-east-1",
    );
  }
  const tags = structured(config["defaultTags"]);
  const retries = config["maxRetries"];
  return {
    region,
    defaultTags: isObject(tags) && isObject(tags["tags"]) ? (tags["tags"] as TagMap) : {},
    maxRetries: retries === undefined ? undefined : Number(retries),
    endpoints: endpointsOf(structured(config["endpoints"]), environment),
    keys: keysOf(config),
  };
}
