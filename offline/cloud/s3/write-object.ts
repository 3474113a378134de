import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { ApiError } from "../proxy/api-request.ts";
import { elements, escapeXml, unescapeXml } from "../proxy/xml.ts";
import { newChecksum, type ChecksumName } from "./checksums.ts";
import type { Blob, StoredObject, Upload } from "./object-store.ts";
import {
  algorithmOf,
  bodyOf,
  keptOf,
  readText,
  s3Namespace,
  sendXml,
  tagsOf,
  type S3Call,
} from "./s3-call.ts";

const smallestPart = 5 * 1024 * 1024;

function checksumHeaders(blob: Blob): Record<string, string> {
  return Object.fromEntries(
    Object.entries(blob.checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value]),
  );
}

/** Conditional writes: `If-None-Match: *` and `If-Match: <etag>`. */
function checkCondition(call: S3Call): void {
  const { headers } = call.head;
  const present = call.store.bucket(call.bucket).objects.get(call.key);
  const absentOnly = headers["if-none-match"] === "*" && present !== undefined;
  const wanted = headers["if-match"];
  const other =
    wanted !== undefined && present?.etag.replaceAll('"', "") !== wanted.replaceAll('"', "");
  if (absentOnly || other) throw preconditionFailed();
}

function preconditionFailed(): ApiError {
  return new ApiError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    412,
  );
}

/** PutObject. */
export async function putObject(call: S3Call): Promise<void> {
  call.store.bucket(call.bucket);
  checkCondition(call);
  const algorithm = algorithmOf(call);
  const { source, declared } = bodyOf(call, algorithm === undefined ? [] : [algorithm]);
  const blob = await call.store.write(source, declared);
  const etag = `"${blob.md5.toString("hex")}"`;
  await call.store.put(call.bucket, {
    ...blob,
    key: call.key,
    etag,
    modified: new Date(),
    headers: keptOf(call),
    checksumType: "FULL_OBJECT",
    partSizes: [],
    tags: tagsOf(call),
  });
  call.response.writeHead(200, { etag, ...checksumHeaders(blob), "content-length": "0" }).end();
}

function sourceOf(call: S3Call): StoredObject {
  const header = decodeURIComponent(call.head.headers["x-amz-copy-source"] ?? "");
  const [, bucket = "", key = ""] =
    /^\/?([^/]+)\/([\s\S]+?)(?:\?versionId=.*)?$/.exec(header) ?? [];
  const source = call.store.object(bucket, key);
  const wanted = call.head.headers["x-amz-copy-source-if-match"];
  if (wanted !== undefined && wanted.replaceAll('"', "") !== source.etag.replaceAll('"', "")) {
    throw preconditionFailed();
  }
  return source;
}

function checksumElements({ checksums }: Pick<Blob, "checksums">): string {
  return Object.entries(checksums)
    .map(
      ([name, value]) => `<Checksum${name.toUpperCase()}>${value}</Checksum${name.toUpperCase()}>`,
    )
    .join("");
}

/** CopyObject. */
export async function copyObject(call: S3Call): Promise<void> {
  const source = sourceOf(call);
  checkCondition(call);
  const algorithm = algorithmOf(call);
  const wanted =
    algorithm === undefined ? (Object.keys(source.checksums) as ChecksumName[]) : [algorithm];
  const blob = await call.store.write(
    createReadStream(source.file) as AsyncIterable<Buffer>,
    () => ({ checksums: {}, wanted }),
  );
  const replace = call.head.headers["x-amz-metadata-directive"] === "REPLACE";
  const etag = `"${blob.md5.toString("hex")}"`;
  const copy: StoredObject = {
    ...blob,
    key: call.key,
    etag,
    modified: new Date(),
    headers: replace ? keptOf(call) : source.headers,
    checksumType: "FULL_OBJECT",
    partSizes: [],
    tags: call.head.headers["x-amz-tagging-directive"] === "REPLACE" ? tagsOf(call) : source.tags,
  };
  await call.store.put(call.bucket, copy);
  sendXml(
    call,
    `<CopyObjectResult ${s3Namespace}><LastModified>${copy.modified.toISOString()}</LastModified><ETag>${escapeXml(etag)}</ETag>${checksumElements(blob)}</CopyObjectResult>`,
  );
}

/** CreateMultipartUpload. */
export function createUpload(call: S3Call): void {
  const algorithm = algorithmOf(call);
  const given = call.head.headers["x-amz-checksum-type"];
  const composite = algorithm !== undefined && algorithm !== "crc64nvme" && given !== "FULL_OBJECT";
  const upload: Upload = {
    id: randomUUID(),
    key: call.key,
    started: new Date(),
    headers: keptOf(call),
    algorithm,
    checksumType: composite ? "COMPOSITE" : "FULL_OBJECT",
    tags: tagsOf(call),
    parts: new Map(),
  };
  call.store.bucket(call.bucket).uploads.set(upload.id, upload);
  if (algorithm !== undefined) {
    call.response.setHeader("x-amz-checksum-algorithm", algorithm.toUpperCase());
    call.response.setHeader("x-amz-checksum-type", upload.checksumType);
  }
  sendXml(
    call,
    `<InitiateMultipartUploadResult ${s3Namespace}><Bucket>${escapeXml(call.bucket)}</Bucket><Key>${escapeXml(call.key)}</Key><UploadId>${upload.id}</UploadId></InitiateMultipartUploadResult>`,
  );
}

/** UploadPart and UploadPartCopy. */
export async function uploadPart(call: S3Call): Promise<void> {
  const upload = call.store.upload(call.bucket, call.head.query.get("uploadId") ?? "");
  const number = Number(call.head.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new ApiError(
      "InvalidArgument",
      "Part number must be an integer between 1 and 10000, inclusive",
    );
  }
  const wanted = upload.algorithm === undefined ? [] : [upload.algorithm];
  const isCopy = call.head.headers["x-amz-copy-source"] !== undefined;
  let blob: Blob;
  if (isCopy) {
    const [, first, last] =
      /bytes=(\d+)-(\d+)/.exec(call.head.headers["x-amz-copy-source-range"] ?? "") ?? [];
    const range = first === undefined ? {} : { start: Number(first), end: Number(last) };
    const bytes = createReadStream(sourceOf(call).file, range) as AsyncIterable<Buffer>;
    blob = await call.store.write(bytes, () => ({ checksums: {}, wanted }));
  } else {
    const { source, declared } = bodyOf(call, wanted);
    blob = await call.store.write(source, declared);
  }
  upload.parts.set(number, { ...blob, modified: new Date() });
  const etag = `"${blob.md5.toString("hex")}"`;
  if (isCopy) {
    sendXml(
      call,
      `<CopyPartResult ${s3Namespace}><LastModified>${new Date().toISOString()}</LastModified><ETag>${escapeXml(etag)}</ETag>${checksumElements(blob)}</CopyPartResult>`,
    );
  } else {
    call.response.writeHead(200, { etag, ...checksumHeaders(blob), "content-length": "0" }).end();
  }
}

function chosenParts(upload: Upload, document: string): Blob[] {
  const listed = elements(document, "Part").map((part) => ({
    number: Number(elements(part, "PartNumber")[0]),
    etag: unescapeXml(elements(part, "ETag")[0] ?? "").replaceAll('"', ""),
  }));
  return listed.map(({ number, etag }, index) => {
    const part = upload.parts.get(number);
    if (part?.md5.toString("hex") !== etag) {
      throw new ApiError("InvalidPart", "One or more of the specified parts could not be found.");
    }
    if (index > 0 && number <= (listed[index - 1]?.number ?? 0)) {
      throw new ApiError("InvalidPartOrder", "The list of parts was not in ascending order.");
    }
    if (index < listed.length - 1 && part.size < smallestPart) {
      throw new ApiError(
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
      );
    }
    return part;
  });
}

async function* joined(parts: readonly Blob[]): AsyncGenerator<Buffer> {
  for (const part of parts)
    yield* createReadStream(part.file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
}

/** A checksum of the parts' checksums, `<value>-<parts>`. */
function composite(name: ChecksumName, parts: readonly Blob[]): string {
  const sum = newChecksum(name);
  for (const part of parts) sum.update(Buffer.from(part.checksums[name] ?? "", "base64"));
  return `${sum.digest()}-${parts.length}`;
}

/** `x-amz-mp-object-size`: the size that the writer believes the parts to have together. */
function checkSize(call: S3Call, parts: readonly Blob[]): void {
  const declared = call.head.headers["x-amz-mp-object-size"];
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (declared !== undefined && Number(declared) !== size) {
    throw new ApiError("InvalidRequest", "The provided 'x-amz-mp-object-size' header is wrong.");
  }
}

/** CompleteMultipartUpload. */
export async function completeUpload(call: S3Call): Promise<void> {
  const id = call.head.query.get("uploadId") ?? "";
  const upload = call.store.upload(call.bucket, id);
  checkCondition(call);
  const parts = chosenParts(upload, await readText(call));
  if (parts.length === 0)
    throw new ApiError("MalformedXML", "The XML you provided was not well-formed");
  const full =
    upload.checksumType === "FULL_OBJECT" && upload.algorithm !== undefined
      ? [upload.algorithm]
      : [];
  checkSize(call, parts);
  const blob = await call.store.write(joined(parts), () => ({
    checksums: upload.checksumType === "FULL_OBJECT" ? bodyOf(call).declared().checksums : {},
    wanted: full,
  }));
  const md5 = createHash("md5");
  for (const part of parts) md5.update(part.md5);
  const etag = `"${md5.digest("hex")}-${parts.length}"`;
  const checksums =
    upload.checksumType === "COMPOSITE" && upload.algorithm !== undefined
      ? { [upload.algorithm]: composite(upload.algorithm, parts) }
      : blob.checksums;
  await call.store.put(call.bucket, {
    ...blob,
    checksums,
    key: call.key,
    etag,
    modified: new Date(),
    headers: upload.headers,
    checksumType: upload.checksumType,
    partSizes: parts.map((part) => part.size),
    tags: upload.tags,
  });
  await call.store.endUpload(call.bucket, id);
  const sums = checksumElements({ checksums });
  sendXml(
    call,
    `<CompleteMultipartUploadResult ${s3Namespace}><Location>/${escapeXml(call.bucket)}/${escapeXml(call.key)}</Location><Bucket>${escapeXml(call.bucket)}</Bucket><Key>${escapeXml(call.key)}</Key><ETag>${escapeXml(etag)}</ETag>${sums}<ChecksumType>${upload.checksumType}</ChecksumType></CompleteMultipartUploadResult>`,
  );
}
