import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiRequestHead } from "../proxy/api-request.ts";
import { decodeChunks } from "./chunked-body.ts";
import { checksumNames, type ChecksumName } from "./checksums.ts";
import type { Declared, ObjectStore } from "./object-store.ts";

/** One S3 request, with its bucket and key told apart. */
export interface S3Call {
  readonly head: ApiRequestHead;
  readonly bucket: string;
  readonly key: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly store: ObjectStore;
  /** Ends the answer's body early, for a fault. */
  readonly cutAfter: (size: number) => number | undefined;
}

/** Bucket and key of a request, in path style or, for `<bucket>.localhost`, in virtual-host style. */
export function addressOf(head: ApiRequestHead): { bucket: string; key: string } {
  const virtual = /^(.+)\.localhost(?::\d+)?$/.exec(head.headers["host"] ?? "")?.[1];
  const [, bucket = "", key = ""] = /^\/([^/]*)\/?([\s\S]*)$/.exec(head.path) ?? [];
  if (virtual !== undefined)
    return { bucket: virtual, key: decodeURIComponent(head.path.slice(1)) };
  return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
}

/** The body of a request, decoded, and what the request declares of it once the body has been read. */
export function bodyOf(
  call: S3Call,
  wanted: readonly ChecksumName[] = [],
): {
  source: AsyncIterable<Buffer>;
  declared: () => Declared;
} {
  const { headers } = call.head;
  const trailers = new Map<string, string>();
  const chunked =
    headers["content-encoding"]?.includes("aws-chunked") === true ||
    headers["x-amz-content-sha256"]?.startsWith("STREAMING-") === true;
  // A body that is given up half-way must not take the connection along, which still carries the refusal.
  const raw = call.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const announced = (headers["x-amz-trailer"] ?? "").toLowerCase();
  const trailing = checksumNames.filter((name) => announced.includes(`x-amz-checksum-${name}`));
  const declared = (): Declared => {
    const checksums: Partial<Record<ChecksumName, string>> = {};
    for (const name of checksumNames) {
      const value = headers[`x-amz-checksum-${name}`] ?? trailers.get(`x-amz-checksum-${name}`);
      if (value !== undefined) checksums[name] = value;
    }
    return { checksums, contentMd5: headers["content-md5"], wanted: [...wanted, ...trailing] };
  };
  return { source: chunked ? decodeChunks(raw, trailers) : raw, declared };
}

const keptHeaders = [
  "content-type",
  "cache-control",
  "content-disposition",
  "content-language",
  "expires",
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-aws-kms-key-id",
];

/** The headers of a write that later reads give back. */
export function keptOf(call: S3Call): Record<string, string> {
  const kept: Record<string, string> = { "x-amz-server-side-encryption": "AES256" };
  for (const [name, value] of Object.entries(call.head.headers)) {
    if (keptHeaders.includes(name) || name.startsWith("x-amz-meta-")) kept[name] = value;
  }
  const encoding = (call.head.headers["content-encoding"] ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && each !== "aws-chunked");
  if (encoding.length > 0) kept["content-encoding"] = encoding.join(", ");
  kept["content-type"] ??= "binary/octet-stream";
  return kept;
}

/** Tags of the `x-amz-tagging` header. */
export function tagsOf(call: S3Call): Map<string, string> {
  return new Map(new URLSearchParams(call.head.headers["x-amz-tagging"] ?? ""));
}

/** The checksum that a request names in `x-amz-sdk-checksum-algorithm` or `x-amz-checksum-algorithm`. */
export function algorithmOf(call: S3Call): ChecksumName | undefined {
  const { headers } = call.head;
  const named = headers["x-amz-checksum-algorithm"] ?? headers["x-amz-sdk-checksum-algorithm"];
  return checksumNames.find((name) => name === named?.toLowerCase());
}

/** Reads a small XML body whole. */
export async function readText(call: S3Call): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of bodyOf(call).source) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Sends an XML document. */
export function sendXml(call: S3Call, body: string, status = 200): void {
  const data = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
  call.response.writeHead(status, {
    "content-type": "application/xml",
    "content-length": data.length,
  });
  call.response.end(data);
}

/** The namespace that every S3 document carries. */
export const s3Namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
