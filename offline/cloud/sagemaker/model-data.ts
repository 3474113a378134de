import { execFile } from "node:child_process";
import { copyFile, link, mkdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import type { ObjectStore, StoredObject } from "../s3/object-store.ts";

/** Bucket and key of an S3 address; undefined when it is none. */
export function parseS3Uri(uri: string): { bucket: string; key: string } | undefined {
  const [, bucket, key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return bucket === undefined ? undefined : { bucket, key };
}

/** The objects below an S3 address; none when there is no such bucket. */
export function objectsBelow(store: ObjectStore, uri: string): readonly StoredObject[] {
  const place = parseS3Uri(uri);
  if (place === undefined) return [];
  try {
    const { objects } = store.bucket(place.bucket);
    return [...objects.values()].filter(({ key }) => key.startsWith(place.key));
  } catch {
    return [];
  }
}

/** Lays the objects below an S3 address out as files of a folder, as SageMaker does with uncompressed model data. */
export function layOutModel(store: ObjectStore, uri: string, folder: string): Promise<void> {
  return layOut(store, uri, { folder, place: link });
}

/** Unpacks the one archive at an S3 address into a folder, as SageMaker does with `ModelDataUrl`. */
export async function unpackModel(store: ObjectStore, uri: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [archive] = objectsBelow(store, uri);
  if (archive === undefined) return;
  await promisify(execFile)("tar", ["-xzf", archive.file, "-C", folder, "--no-same-owner"]);
}

/** The same as copies, which may be written to. */
export function copyObjects(store: ObjectStore, uri: string, folder: string): Promise<void> {
  return layOut(store, uri, { folder, place: copyFile });
}

async function layOut(
  store: ObjectStore,
  uri: string,
  { folder, place }: { folder: string; place: (from: string, to: string) => Promise<void> },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const prefix = parseS3Uri(uri)?.key ?? "";
  for (const { key, file } of objectsBelow(store, uri)) {
    const path = normalize(join(folder, key.slice(prefix.length)));
    if (!path.startsWith(`${normalize(folder)}/`) || key.endsWith("/")) continue;
    await mkdir(dirname(path), { recursive: true });
    await place(file, path);
  }
}

/** Writes an object as SageMaker does; nothing when the address is none. */
export async function writeObject(store: ObjectStore, uri: string, content: Buffer): Promise<void> {
  const place = parseS3Uri(uri);
  if (place === undefined) return;
  const source = (async function* () {
    yield await Promise.resolve(content);
  })();
  const blob = await store.write(source, () => ({ checksums: {}, wanted: [] }));
  await store.put(place.bucket, {
    ...blob,
    key: place.key,
    etag: `"${blob.md5.toString("hex")}"`,
    modified: new Date(),
    headers: { "content-type": "application/json" },
    checksumType: "FULL_OBJECT",
    partSizes: [],
    tags: new Map(),
  });
}
