import { elements, escapeXml, unescapeXml } from "../proxy/xml.ts";
import type { StoredObject, Upload } from "./object-store.ts";
import { readText, s3Namespace, sendXml, type S3Call } from "./s3-call.ts";

interface Page {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** Key or common prefix to go on after; none on the last page. */
  readonly next: string | undefined;
}

/** Keys compare by their UTF-8 bytes. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function pageOf(call: S3Call, after: string, limit: number): Page {
  const { query } = call.head;
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const all = call.store.bucket(call.bucket).objects;
  const objects: StoredObject[] = [];
  const prefixes: string[] = [];
  for (const key of [...all.keys()].filter((each) => each.startsWith(prefix)).toSorted(byBytes)) {
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const group = at < 0 ? undefined : key.slice(0, at + delimiter.length);
    const name = group ?? key;
    if (byBytes(name, after) <= 0 || prefixes.at(-1) === name) continue;
    if (objects.length + prefixes.length === limit) {
      const last = [objects.at(-1)?.key ?? "", prefixes.at(-1) ?? ""].toSorted(byBytes)[1];
      return { objects, prefixes, next: last };
    }
    const object = all.get(key);
    if (group !== undefined) prefixes.push(group);
    else if (object !== undefined) objects.push(object);
  }
  return { objects, prefixes, next: undefined };
}

function shown(call: S3Call, text: string): string {
  return call.head.query.get("encoding-type") === "url"
    ? encodeURIComponent(text).replaceAll("%2F", "/")
    : escapeXml(text);
}

function entry(call: S3Call, object: StoredObject, inner = ""): string {
  const algorithms = Object.keys(object.checksums)
    .map(
      (name) =>
        `<ChecksumAlgorithm>${name.toUpperCase()}</ChecksumAlgorithm><ChecksumType>${object.checksumType}</ChecksumType>`,
    )
    .join("");
  return `<Key>${shown(call, object.key)}</Key>${inner}<LastModified>${object.modified.toISOString()}</LastModified><ETag>${escapeXml(object.etag)}</ETag>${algorithms}<Size>${object.size}</Size><StorageClass>STANDARD</StorageClass>`;
}

/** ListObjectsV2, and ListObjects where `list-type` is not 2. */
export function listObjects(call: S3Call): void {
  const { query } = call.head;
  const second = query.get("list-type") === "2";
  const limit = Math.min(Number(query.get("max-keys") ?? 1000), 1000);
  const token = query.get("continuation-token");
  const after = second
    ? token === null
      ? (query.get("start-after") ?? "")
      : Buffer.from(token, "base64url").toString()
    : (query.get("marker") ?? "");
  const page = pageOf(call, after, limit);
  const fields = [
    `<Name>${escapeXml(call.bucket)}</Name>`,
    `<Prefix>${shown(call, query.get("prefix") ?? "")}</Prefix>`,
    query.has("delimiter")
      ? `<Delimiter>${shown(call, query.get("delimiter") ?? "")}</Delimiter>`
      : "",
    query.has("encoding-type") ? "<EncodingType>url</EncodingType>" : "",
    `<MaxKeys>${limit}</MaxKeys>`,
    `<IsTruncated>${String(page.next !== undefined)}</IsTruncated>`,
    second ? `<KeyCount>${page.objects.length + page.prefixes.length}</KeyCount>` : "",
    page.next === undefined
      ? ""
      : second
        ? `<NextContinuationToken>${Buffer.from(page.next).toString("base64url")}</NextContinuationToken>`
        : `<NextMarker>${shown(call, page.next)}</NextMarker>`,
    ...page.objects.map((object) => `<Contents>${entry(call, object)}</Contents>`),
    ...page.prefixes.map(
      (each) => `<CommonPrefixes><Prefix>${shown(call, each)}</Prefix></CommonPrefixes>`,
    ),
  ];
  sendXml(call, `<ListBucketResult ${s3Namespace}>${fields.join("")}</ListBucketResult>`);
}

/** ListObjectVersions: the objects that are there, as their only version. */
export function listVersions(call: S3Call): void {
  const { query } = call.head;
  const limit = Math.min(Number(query.get("max-keys") ?? 1000), 1000);
  const page = pageOf(call, query.get("key-marker") ?? "", limit);
  const versions = page.objects.map(
    (object) =>
      `<Version>${entry(call, object, "<VersionId>null</VersionId><IsLatest>true</IsLatest>")}</Version>`,
  );
  const next =
    page.next === undefined
      ? ""
      : `<NextKeyMarker>${shown(call, page.next)}</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>`;
  sendXml(
    call,
    `<ListVersionsResult ${s3Namespace}><Name>${escapeXml(call.bucket)}</Name><MaxKeys>${limit}</MaxKeys><IsTruncated>${String(page.next !== undefined)}</IsTruncated>${next}${versions.join("")}</ListVersionsResult>`,
  );
}

function uploadChecksum({ algorithm, checksumType }: Upload): string {
  if (algorithm === undefined) return "";
  return `<ChecksumAlgorithm>${algorithm.toUpperCase()}</ChecksumAlgorithm><ChecksumType>${checksumType}</ChecksumType>`;
}

/** ListMultipartUploads, whole. */
export function listUploads(call: S3Call): void {
  const uploads = [...call.store.bucket(call.bucket).uploads.values()].map(
    (each) =>
      `<Upload><Key>${shown(call, each.key)}</Key><UploadId>${each.id}</UploadId><Initiated>${each.started.toISOString()}</Initiated>${uploadChecksum(each)}</Upload>`,
  );
  sendXml(
    call,
    `<ListMultipartUploadsResult ${s3Namespace}><Bucket>${escapeXml(call.bucket)}</Bucket><IsTruncated>false</IsTruncated>${uploads.join("")}</ListMultipartUploadsResult>`,
  );
}

function checksumElements({ checksums }: Pick<StoredObject, "checksums">): string {
  return Object.entries(checksums)
    .map(
      ([name, value]) => `<Checksum${name.toUpperCase()}>${value}</Checksum${name.toUpperCase()}>`,
    )
    .join("");
}

/** ListParts, whole. */
export function listParts(call: S3Call): void {
  const upload = call.store.upload(call.bucket, call.head.query.get("uploadId") ?? "");
  const parts = [...upload.parts.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><LastModified>${part.modified.toISOString()}</LastModified><ETag>&quot;${part.md5.toString("hex")}&quot;</ETag><Size>${part.size}</Size>${checksumElements(part)}</Part>`,
    );
  sendXml(
    call,
    `<ListPartsResult ${s3Namespace}><Bucket>${escapeXml(call.bucket)}</Bucket><Key>${shown(call, upload.key)}</Key><UploadId>${upload.id}</UploadId><IsTruncated>false</IsTruncated>${parts.join("")}</ListPartsResult>`,
  );
}

/** DeleteObjects: up to 1000 keys; a key that is not there counts as deleted. */
export async function deleteObjects(call: S3Call): Promise<void> {
  const document = await readText(call);
  const quiet = elements(document, "Quiet")[0] === "true";
  const deleted: string[] = [];
  for (const each of elements(document, "Object")) {
    const key = unescapeXml(elements(each, "Key")[0] ?? "");
    await call.store.remove(call.bucket, key);
    if (!quiet) deleted.push(`<Deleted><Key>${escapeXml(key)}</Key></Deleted>`);
  }
  sendXml(call, `<DeleteResult ${s3Namespace}>${deleted.join("")}</DeleteResult>`);
}
