// Signature Version 4 for GETs: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

import { createHmac, createSecretKey, hash } from "node:crypto";

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** A key as it stands in the path of an address, signed or not: all but the unreserved characters and slashes escaped. */
export function encodeKey(key) {
  const escape = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, escape);
}

/** Signs GETs, without a query, that differ in their path: all else is put together once a second. */
export class Signer {
  #host;
  #region;
  #extra;
  #second = { credentials: undefined, at: NaN };
  #day = { secret: undefined, day: undefined, key: undefined };

  /** @param extra `x-amz-*` headers that go with each request; S3 wants every one of them signed */
  constructor({ host, region, extra = {} }) {
    this.#host = host;
    this.#region = region;
    this.#extra = extra;
  }

  /** The lines of a request's headers, its `host` included. */
  lines(path, credentials, nowMs = Date.now()) {
    const { canonical, toSign, key, lines } = this.#of(credentials, Math.floor(nowMs / 1000));
    const text = toSign + hash("sha256", `GET\n${path}\n${canonical}`);
    const signature = createHmac("sha256", key).update(text).digest("hex");
    return `${lines}${signature}\r\n`;
  }

  #of(credentials, at) {
    if (this.#second.at === at && this.#second.credentials === credentials) return this.#second;
    const stamp = new Date(at * 1000).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
    const day = stamp.slice(0, 8);
    const headers = {
      ...this.#extra,
      host: this.#host,
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "x-amz-date": stamp,
    };
    if (credentials.token) headers["x-amz-security-token"] = credentials.token;
    const names = Object.keys(headers).sort();
    const signed = names.join(";");
    const scope = `${day}/${this.#region}/s3/aws4_request`;
    const canonical = names.map((name) => `${name}:${headers[name]}\n`).join("");
    const shown = names.map((name) => `${name}: ${headers[name]}\r\n`).join("");
    const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.id}/${scope}, SignedHeaders=${signed}, Signature=`;
    this.#second = {
      ...{ credentials, at, key: this.#keyOf(credentials, day) },
      // The query is empty.
      canonical: `\n${canonical}\n${signed}\nUNSIGNED-PAYLOAD`,
      toSign: `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n`,
      lines: `${shown}authorization: ${authorization}`,
    };
    return this.#second;
  }

  /** The day's key takes four rounds to derive; as an object it is prepared once. */
  #keyOf({ secret }, day) {
    if (this.#day.secret === secret && this.#day.day === day) return this.#day.key;
    const dayKey = hmac(`AWS4${secret}`, day);
    const key = hmac(hmac(hmac(dayKey, this.#region), "s3"), "aws4_request");
    this.#day = { secret, day, key: createSecretKey(key) };
    return this.#day.key;
  }
}
