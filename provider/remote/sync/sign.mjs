// Signature Version 4 for GETs: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

import { createHmac, createSecretKey, hash } from "node:crypto";

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sha256 = (text) => hash("sha256", text);

/** A key as it stands in the path of an address, signed or not: all but the unreserved characters and slashes escaped. */
export function encodeKey(key) {
  const escape = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, escape);
}

let derived = { of: "", key: undefined };

/** The day's key takes four rounds to derive, and serves every request of the day; as an object it is prepared once. */
function keyFor({ secret }, day, region) {
  const of = [secret, day, region].join(" ");
  if (derived.of !== of) {
    const dayKey = hmac(`AWS4${secret}`, day);
    const key = hmac(hmac(hmac(dayKey, region), "s3"), "aws4_request");
    derived = { of, key: createSecretKey(key) };
  }
  return derived.key;
}

/**
 * The headers that sign a GET of a path without a query.
 *
 * @param extra `x-amz-*` headers that go with it; S3 wants every one of them signed
 */
export function signedHeaders({ host, path, region, extra = {} }, credentials, now = new Date()) {
  const stamp = now.toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const day = stamp.slice(0, 8);
  const headers = {
    ...extra,
    host,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-date": stamp,
  };
  if (credentials.token) headers["x-amz-security-token"] = credentials.token;
  const names = Object.keys(headers).sort();
  const canonical = [
    "GET",
    path,
    "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const signature = createHmac("sha256", keyFor(credentials, day, region))
    .update(toSign)
    .digest("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}
