import type { IncomingMessage } from "node:http";

/** How an API writes its requests and errors. */
export type Protocol = "ec2" | "query" | "json" | "rest-json" | "s3";

/** One call of an AWS API, read from an HTTP request. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly protocol: Protocol;
  /** The request's members: form fields of query protocols, the body of JSON protocols. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What is known of a call from its headers and URL alone. */
export type ApiRequestHead = Pick<
  ApiRequest,
  "method" | "url" | "path" | "query" | "headers" | "service" | "region"
>;

/** An answer to a call. */
export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** Sent as it comes, in place of `body`. */
  readonly stream?: AsyncIterable<Buffer>;
}

/** An API's own refusal; written in the protocol of the call that it answers. */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const defaultRegion = "us-east-1";

/** Services that are known under another name in their SigV4 credential scope. */
const scopeNames: Readonly<Record<string, string>> = {
  elasticmapreduce: "emr",
  states: "stepfunctions",
  tagging: "resourcegroupstaggingapi",
  monitoring: "cloudwatch",
};

function scopeOf(headers: Readonly<Record<string, string>>, query: URLSearchParams): string[] {
  const signed = /Credential=([^,\s]+)/.exec(headers["authorization"] ?? "")?.[1];
  const credential = signed ?? query.get("X-Amz-Credential") ?? "";
  return credential.split("/");
}

/** The service and region that a request is signed for; S3 in us-east-1 when it is not signed at all. */
export function readHead(message: IncomingMessage): ApiRequestHead {
  const url = message.url ?? "/";
  const parsed = new URL(url, "http://localhost");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const [, , region = defaultRegion, scope = "s3"] = scopeOf(headers, parsed.searchParams);
  return {
    method: message.method ?? "GET",
    url,
    path: parsed.pathname,
    query: parsed.searchParams,
    headers,
    service: scopeNames[scope] ?? scope,
    region: region === "aws-global" || region === "" ? defaultRegion : region,
  };
}
