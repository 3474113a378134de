import { ApiError } from "../proxy/api-request.ts";
import { elements, escapeXml, unescapeXml } from "../proxy/xml.ts";
import {
  deleteObjects,
  listObjects,
  listParts,
  listUploads,
  listVersions,
} from "./list-objects.ts";
import { checksumsOf, readObject } from "./read-object.ts";
import { readText, s3Namespace, sendXml, type S3Call } from "./s3-call.ts";
import { completeUpload, copyObject, createUpload, putObject, uploadPart } from "./write-object.ts";

type S3Operation = (call: S3Call) => Promise<void> | void;

async function deleteObject(call: S3Call): Promise<void> {
  await call.store.remove(call.bucket, call.key);
  call.response.writeHead(204).end();
}

async function abortUpload(call: S3Call): Promise<void> {
  await call.store.endUpload(call.bucket, call.head.query.get("uploadId") ?? "");
  call.response.writeHead(204).end();
}

function getTags(call: S3Call): void {
  const tags = [...call.store.object(call.bucket, call.key).tags].map(
    ([key, value]) => `<Tag><Key>${escapeXml(key)}</Key><Value>${escapeXml(value)}</Value></Tag>`,
  );
  sendXml(call, `<Tagging ${s3Namespace}><TagSet>${tags.join("")}</TagSet></Tagging>`);
}

async function putTags(call: S3Call): Promise<void> {
  const object = call.store.object(call.bucket, call.key);
  const document = call.request.method === "DELETE" ? "" : await readText(call);
  object.tags = new Map(
    elements(document, "Tag").map((tag) => [
      unescapeXml(elements(tag, "Key")[0] ?? ""),
      unescapeXml(elements(tag, "Value")[0] ?? ""),
    ]),
  );
  call.response.writeHead(call.request.method === "DELETE" ? 204 : 200).end();
}

async function attributes(call: S3Call): Promise<void> {
  const object = call.store.object(call.bucket, call.key);
  const sums = Object.entries(await checksumsOf(object))
    .map(
      ([name, value]) => `<Checksum${name.toUpperCase()}>${value}</Checksum${name.toUpperCase()}>`,
    )
    .join("");
  const parts =
    object.partSizes.length === 0
      ? ""
      : `<ObjectParts><PartsCount>${object.partSizes.length}</PartsCount></ObjectParts>`;
  call.response.setHeader("last-modified", object.modified.toUTCString());
  sendXml(
    call,
    `<GetObjectAttributesResponse ${s3Namespace}><ETag>${object.etag.replaceAll('"', "")}</ETag><Checksum>${sums}<ChecksumType>${object.checksumType}</ChecksumType></Checksum>${parts}<StorageClass>STANDARD</StorageClass><ObjectSize>${object.size}</ObjectSize></GetObjectAttributesResponse>`,
  );
}

const unsupportedObject: S3Operation = () => {
  throw new ApiError(
    "NotImplemented",
    "The emulation does not serve this operation on objects.",
    501,
  );
};

type Route = readonly [method: string, query: string, operation: string, serve: S3Operation];

// First match wins; "" matches any query.
const objectRoutes: readonly Route[] = [
  ["GET", "uploadId", "ListParts", listParts],
  ["GET", "tagging", "GetObjectTagging", getTags],
  ["GET", "attributes", "GetObjectAttributes", attributes],
  ["PUT", "tagging", "PutObjectTagging", putTags],
  ["DELETE", "tagging", "DeleteObjectTagging", putTags],
  ["POST", "uploads", "CreateMultipartUpload", createUpload],
  ["POST", "uploadId", "CompleteMultipartUpload", completeUpload],
  ["PUT", "uploadId", "UploadPart", uploadPart],
  ["DELETE", "uploadId", "AbortMultipartUpload", abortUpload],
  ...["acl", "retention", "legal-hold", "restore", "select", "torrent", "annotation"].flatMap(
    (name) =>
      ["GET", "PUT", "POST", "DELETE"].map((method): Route => [
        method,
        name,
        `${method} object?${name}`,
        unsupportedObject,
      ]),
  ),
  ["HEAD", "", "HeadObject", readObject],
  ["GET", "", "GetObject", readObject],
  ["DELETE", "", "DeleteObject", deleteObject],
];

const bucketRoutes: readonly Route[] = [
  ["GET", "list-type", "ListObjectsV2", listObjects],
  ["GET", "versions", "ListObjectVersions", listVersions],
  ["GET", "uploads", "ListMultipartUploads", listUploads],
  ["POST", "delete", "DeleteObjects", deleteObjects],
];

/** Queries of a GET on a bucket that still mean ListObjects. */
const listQueries = ["prefix", "delimiter", "marker", "max-keys", "encoding-type", "x-id"];

/** What the store serves of S3; none where the request is about a bucket itself, which is moto's. */
export function s3Route(call: S3Call): { operation: string; serve: S3Operation } | undefined {
  const method = call.request.method ?? "GET";
  const { query, headers } = call.head;
  if (call.bucket === "") return undefined;
  const routes = call.key === "" ? bucketRoutes : objectRoutes;
  const found = routes.find(([m, q]) => m === method && (q === "" || query.has(q)));
  if (found !== undefined) return { operation: found[2], serve: found[3] };
  if (call.key === "") {
    const plain = [...query.keys()].every((name) => listQueries.includes(name));
    return method === "GET" && plain ? { operation: "ListObjects", serve: listObjects } : undefined;
  }
  if (method !== "PUT") return { operation: `${method} object`, serve: unsupportedObject };
  return headers["x-amz-copy-source"] === undefined
    ? { operation: "PutObject", serve: putObject }
    : { operation: "CopyObject", serve: copyObject };
}

/** Names of the bucket operations, for the call log. */
export function bucketOperation(call: S3Call): string {
  const method = call.request.method ?? "GET";
  if (call.bucket === "") return "ListBuckets";
  const names: Readonly<Record<string, string>> = {
    publicAccessBlock: "PublicAccessBlock",
    encryption: "BucketEncryption",
    lifecycle: "BucketLifecycleConfiguration",
    policy: "BucketPolicy",
    policyStatus: "BucketPolicyStatus",
    tagging: "BucketTagging",
    versioning: "BucketVersioning",
    location: "BucketLocation",
    ownershipControls: "BucketOwnershipControls",
  };
  const sub = [...call.head.query.keys()].find((name) => name in names);
  const verb =
    { GET: "Get", PUT: "Put", DELETE: "Delete", HEAD: "Head", POST: "Post" }[method] ?? method;
  if (sub !== undefined) return `${verb}${names[sub] ?? sub}`;
  if (call.head.query.size > 0 && !call.head.query.has("x-id")) {
    return `${verb}Bucket?${[...call.head.query.keys()][0] ?? ""}`;
  }
  return (
    { PUT: "CreateBucket", DELETE: "DeleteBucket", HEAD: "HeadBucket" }[method] ?? `${verb}Bucket`
  );
}
