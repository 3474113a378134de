// What a whole object is compared with: S3's checksum of the full object, else the MD5 that an ETag may be.

import { createHash } from "node:crypto";
import { algorithms, encode } from "./checksums.mjs";

/** By their names among an answer's headers. */
const checksumHeaders = ["CRC64NVME", "CRC32C", "CRC32", "SHA256"].map((algorithm) => [
  algorithm,
  `x-amz-checksum-${algorithm.toLowerCase()}`,
]);

/** The full object's checksum among an answer's headers. */
function checksumIn(headers) {
  if (headers["x-amz-checksum-type"] === "COMPOSITE") return undefined;
  for (const [algorithm, header] of checksumHeaders) {
    const value = headers[header];
    // A value with "-N" is one of the parts' checksums, not of the object.
    if (value !== undefined && !value.includes("-")) return { algorithm, value };
  }
  return undefined;
}

/** Whether an ETag is the content's MD5: uploaded in one part, and not encrypted with a key of KMS or of the caller. */
function isMd5(etag, headers) {
  const encryption = headers["x-amz-server-side-encryption"] ?? "";
  const own = headers["x-amz-server-side-encryption-customer-algorithm"];
  return /^"[0-9a-f]{32}"$/.test(etag) && !encryption.startsWith("aws:kms") && own === undefined;
}

function checksumOf(algorithm, bytes, memory) {
  if (algorithm === "SHA256") return createHash("sha256").update(bytes).digest("base64");
  return encode(algorithm, memory.update(algorithms[algorithm], bytes, 0n));
}

/** Compares a whole object in memory; gives `by` and the `checksum`, or `damage` in words. */
export function verifyWhole(file, headers, bytes, memory) {
  const checksum = checksumIn(headers) ?? file.checksum;
  const difference = (by, got, wanted) =>
    got === wanted
      ? { by, checksum }
      : { damage: `${file.key} arrived damaged: its ${by} is ${got}, and S3 says ${wanted}` };
  if (checksum !== undefined) {
    const got = checksumOf(checksum.algorithm, bytes, memory);
    return difference(checksum.algorithm, got, checksum.value);
  }
  if (!isMd5(file.etag, headers)) return { by: "size", checksum };
  const got = createHash("md5").update(bytes).digest("hex");
  return difference("MD5", got, file.etag.replaceAll('"', ""));
}
