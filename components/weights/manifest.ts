import { z } from "zod";

/** Name of the manifest under a prefix of weights; the last object that a push writes. */
export const manifestName = ".berth-manifest.json";

/** A checksum of a whole object, as S3 keeps it. */
const checksumSchema = z.object({
  algorithm: z.enum(["CRC64NVME", "CRC32", "CRC32C"]),
  /** Base64. */
  value: z.string(),
});

const fileSchema = z.object({
  /** Below the prefix, with slashes. */
  path: z.string().min(1),
  /** Bytes. */
  size: z.int().nonnegative(),
  /** With its quotes, as S3 gives it. */
  etag: z.string(),
  checksum: checksumSchema.optional(),
  /** Hexadecimal; of the content as it was read from the source. */
  sha256: z.string().optional(),
  /** What the source calls this content: a blob's id, an ETag. */
  version: z.string().optional(),
});

/** Who writes under the prefix at the moment, or did last. */
const pushSchema = z.object({
  id: z.string(),
  /** `user@machine`. */
  by: z.string(),
  pid: z.int(),
  startedAt: z.iso.datetime(),
  /** Last sign of life. */
  seenAt: z.iso.datetime(),
});

const manifestSchema = z.object({
  version: z.literal(1),
  /** Only under "complete" are all files there and whole. */
  state: z.enum(["pushing", "complete"]),
  /** Where the files come from: `hf:owner/repo@revision`, `s3://bucket/prefix/`, `folder:name`. */
  source: z.string(),
  push: pushSchema,
  /** Uploads in parts that are under way, by path. */
  uploads: z.record(z.string(), z.object({ uploadId: z.string(), partBytes: z.int() })),
  files: z.array(fileSchema),
  /** Paths that earlier pushes brought, which are still there and not part of this one. */
  left: z.array(z.string()).default([]),
});

/** What a push left under a prefix: every file with its size, version and checksums. */
export type WeightsManifest = Readonly<z.infer<typeof manifestSchema>>;

/** One file of a {@link WeightsManifest}. */
export type ManifestFile = Readonly<z.infer<typeof fileSchema>>;

/** The manifest in a text; undefined when it is not one of this version. */
export function parseManifest(text: string): WeightsManifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A manifest as it is stored: files by path, so that the same content is the same text. */
export function manifestText(manifest: WeightsManifest): string {
  const files = manifest.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return `${JSON.stringify({ ...manifest, files }, null, 1)}\n`;
}
