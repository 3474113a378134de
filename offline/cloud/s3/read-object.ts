import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../proxy/api-request.ts";
import { newChecksum, type ChecksumName } from "./checksums.ts";
import type { StoredObject } from "./object-store.ts";
import type { S3Call } from "./s3-call.ts";

interface Slice {
  readonly start: number;
  /** Of the last byte. */
  readonly end: number;
  readonly partial: boolean;
}

/** The bytes that a request asks for, by Range or by partNumber. */
function sliceOf(call: S3Call, object: StoredObject): Slice {
  const whole = { start: 0, end: object.size - 1, partial: false };
  const part = call.head.query.get("partNumber");
  if (part !== null) {
    const sizes = object.partSizes.length > 0 ? object.partSizes : [object.size];
    const index = Number(part) - 1;
    const size = sizes[index];
    if (size === undefined) {
      throw new ApiError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
    }
    const start = sizes.slice(0, index).reduce((sum, each) => sum + each, 0);
    return { start, end: start + size - 1, partial: true };
  }
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(call.head.headers["range"] ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return whole;
  const start = first === "" ? Math.max(0, object.size - Number(last)) : Number(first);
  const end =
    first === "" || last === "" ? object.size - 1 : Math.min(Number(last), object.size - 1);
  if (start >= object.size || start > end) {
    throw new ApiError("InvalidRange", "The requested range is not satisfiable", 416);
  }
  return { start, end, partial: true };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** 304 or 412 where a condition of the request does not hold. */
function refusedBy(call: S3Call, object: StoredObject): 304 | undefined {
  const { headers } = call.head;
  const lists = (value: string | undefined): boolean =>
    value
      ?.split(",")
      .some((each) => ["*", object.etag, object.etag.replaceAll('"', "")].includes(each.trim())) ===
    true;
  const failed = new ApiError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    412,
  );
  if (headers["if-match"] !== undefined) {
    if (!lists(headers["if-match"])) throw failed;
  } else if (headers["if-unmodified-since"] !== undefined) {
    if (seconds(object.modified) > seconds(new Date(headers["if-unmodified-since"]))) throw failed;
  }
  if (headers["if-none-match"] !== undefined)
    return lists(headers["if-none-match"]) ? 304 : undefined;
  const since = headers["if-modified-since"];
  return since !== undefined && seconds(object.modified) <= seconds(new Date(since))
    ? 304
    : undefined;
}

/** The object's own checksums; CRC64NVME is made on the first question when the writer gave none. */
export async function checksumsOf(
  object: StoredObject,
): Promise<Partial<Record<ChecksumName, string>>> {
  if (Object.keys(object.checksums).length === 0) {
    const sum = newChecksum("crc64nvme");
    for await (const piece of createReadStream(object.file)) sum.update(piece as Buffer);
    object.checksums.crc64nvme = sum.digest();
  }
  return object.checksums;
}

async function headersOf(
  call: S3Call,
  object: StoredObject,
  slice: Slice,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {
    ...object.headers,
    etag: object.etag,
    "last-modified": object.modified.toUTCString(),
    "accept-ranges": "bytes",
    "content-length": String(slice.end - slice.start + 1),
  };
  if (slice.partial) headers["content-range"] = `bytes ${slice.start}-${slice.end}/${object.size}`;
  if (call.head.query.has("partNumber") && object.partSizes.length > 0) {
    headers["x-amz-mp-parts-count"] = String(object.partSizes.length);
  }
  if (object.tags.size > 0) headers["x-amz-tagging-count"] = String(object.tags.size);
  // S3 gives the whole object's checksum only with the whole object.
  const wantsChecksum = call.head.headers["x-amz-checksum-mode"]?.toUpperCase() === "ENABLED";
  if (wantsChecksum && (!slice.partial || call.request.method === "HEAD")) {
    for (const [name, value] of Object.entries(await checksumsOf(object))) {
      headers[`x-amz-checksum-${name}`] = value;
    }
    headers["x-amz-checksum-type"] = object.checksumType;
  }
  for (const [name, value] of call.head.query) {
    if (name.startsWith("response-")) headers[name.slice("response-".length)] = value;
  }
  return headers;
}

/** GetObject and HeadObject. */
export async function readObject(call: S3Call): Promise<void> {
  const object = call.store.object(call.bucket, call.key);
  if (refusedBy(call, object) === 304) {
    call.response.writeHead(304, { etag: object.etag }).end();
    return;
  }
  const slice = sliceOf(call, object);
  const headers = await headersOf(call, object, slice);
  call.response.writeHead(slice.partial ? 206 : 200, headers);
  if (call.request.method === "HEAD" || slice.end < slice.start) {
    call.response.end();
    return;
  }
  const cut = call.cutAfter(slice.end - slice.start + 1);
  const end = cut === undefined ? slice.end : slice.start + cut - 1;
  const body = createReadStream(object.file, { start: slice.start, end, highWaterMark: 1 << 20 });
  if (cut === undefined) {
    await pipeline(body, call.response);
    return;
  }
  for await (const piece of body) call.response.write(piece);
  // The bytes that were let through have to leave before the connection breaks.
  await new Promise((resolve) => setTimeout(resolve, 20));
  call.response.destroy();
}
