// One ranged GET from S3, checked for what makes it whole, with the instance role's credentials or a presigned address.

import { createHash, createHmac } from "node:crypto";
import http from "node:http";
import https from "node:https";

/** An error that another try may get past. */
export class Transient extends Error {}

/** The object is not the one that the plan names any more. */
export class Changed extends Error {}

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** Headers of a GET signed by Signature Version 4, with the body unsigned. */
export function signedHeaders(url, region, credentials, now = new Date()) {
  const stamp = now.toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const day = stamp.slice(0, 8);
  const headers = {
    host: url.host,
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-date": stamp,
  };
  if (credentials.token) headers["x-amz-security-token"] = credentials.token;
  const names = Object.keys(headers).sort();
  const canonical = [
    "GET",
    url.pathname,
    "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const key = ["s3", "aws4_request"].reduce(
    hmac,
    hmac(hmac(`AWS4${credentials.secret}`, day), region),
  );
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.id}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return headers;
}

/** Where the instance's credentials come from: the metadata service, by a token (IMDSv2). */
export class InstanceCredentials {
  #base = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "http://169.254.169.254";
  #current;
  #asking;

  /** The role's credentials, renewed five minutes before their end; undefined where there is no role. */
  async get() {
    if (this.#current === null) return undefined;
    if (this.#current !== undefined && Date.now() < this.#current.until) return this.#current;
    // Many lanes ask at once, and one question is enough. Old credentials are tried on when no new ones are to be had.
    this.#asking ??= this.#fetch()
      .then((found) => (this.#current = found))
      .catch(() => (this.#current ??= null))
      .finally(() => (this.#asking = undefined));
    await this.#asking;
    return this.#current ?? undefined;
  }

  async #fetch() {
    const token = await this.#ask("PUT", "/latest/api/token", {
      "x-aws-ec2-metadata-token-ttl-seconds": "3600",
    });
    const headers = { "x-aws-ec2-metadata-token": token };
    const folder = "/latest/meta-data/iam/security-credentials/";
    const role = (await this.#ask("GET", folder, headers)).split("\n")[0];
    const found = JSON.parse(await this.#ask("GET", folder + role, headers));
    if (!found.AccessKeyId || !found.SecretAccessKey) throw new Error("no credentials");
    const until = Date.parse(found.Expiration ?? "") - 300_000;
    return {
      id: found.AccessKeyId,
      secret: found.SecretAccessKey,
      token: found.Token,
      until: Number.isNaN(until) ? Date.now() + 300_000 : until,
    };
  }

  async #ask(method, path, headers) {
    const answer = await fetch(this.#base + path, {
      method,
      headers,
      signal: AbortSignal.timeout(1500),
    });
    if (!answer.ok) throw new Error(`${path} gave ${answer.status}`);
    return (await answer.text()).trim();
  }
}

const agents = new Map();
function agentFor(url, lanes) {
  const module = url.protocol === "https:" ? https : http;
  if (!agents.has(url.protocol))
    agents.set(url.protocol, new module.Agent({ keepAlive: true, maxSockets: lanes }));
  return { module, agent: agents.get(url.protocol) };
}

function judge(response, file, start, end) {
  const { statusCode: status, headers } = response;
  if (status === 412) throw new Changed(`${file.key} was replaced while it was being fetched`);
  if (status === 404) throw new Changed(`${file.key} is not in the bucket any more`);
  if (status === 401 || status === 403) {
    const refusal = new Error(`S3 refuses ${file.key} (status ${status})`);
    refusal.status = status;
    throw refusal;
  }
  const whole = status === 200 && start === 0 && end === file.size - 1;
  if (status !== 206 && !whole) {
    const retry = status === 429 || status >= 500;
    throw new (retry ? Transient : Error)(`S3 gave status ${status} for ${file.key}`);
  }
  const range = headers["content-range"];
  if (status === 206 && range !== `bytes ${start}-${end}/${file.size}`) {
    throw new Transient(`${file.key}: asked for bytes ${start}-${end}/${file.size}, got ${range}`);
  }
  if (headers.etag !== undefined && headers.etag !== file.etag) {
    throw new Changed(`${file.key} has another ETag than at the start`);
  }
}

/**
 * Fetches bytes start..end (both included) and hands each chunk to `take`, which is awaited before the next.
 * Throws Transient for what another try may get past: a cut or stalled body, a 5xx, a wrong length.
 */
export async function getRange({ file, start, end, headers, url, lanes, idleMs }, take) {
  const { module, agent } = agentFor(url, lanes);
  const request = module.get(url, {
    agent,
    headers: { ...headers, range: `bytes=${start}-${end}`, "if-match": file.etag },
  });
  // Silence is measured only while we wait for the network: a disk that is slow to take a chunk is no reason to give up.
  let silence;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(
      () => request.destroy(new Transient(`no bytes of ${file.key} for ${idleMs} ms`)),
      idleMs,
    );
  };
  listen();
  try {
    const response = await new Promise((resolve, reject) => {
      request.once("response", resolve);
      request.once("error", reject);
    });
    let got = 0;
    try {
      judge(response, file, start, end);
      for await (const chunk of response) {
        if (got + chunk.length > end - start + 1)
          throw new Transient(`${file.key}: more bytes than asked for`);
        clearTimeout(silence);
        await take(chunk, start + got);
        got += chunk.length;
        listen();
      }
    } finally {
      if (!response.complete) request.destroy();
      else response.resume();
    }
    if (got !== end - start + 1)
      throw new Transient(`${file.key}: ${got} bytes instead of ${end - start + 1}`);
  } catch (error) {
    const network = [
      "ECONNRESET",
      "ECONNREFUSED",
      "ETIMEDOUT",
      "EPIPE",
      "EAI_AGAIN",
      "ERR_STREAM_PREMATURE_CLOSE",
      "HPE_INVALID_CONSTANT",
    ];
    if (network.includes(error.code) || error.message === "aborted")
      throw new Transient(`${file.key}: ${error.message}`);
    throw error;
  } finally {
    clearTimeout(silence);
  }
}
