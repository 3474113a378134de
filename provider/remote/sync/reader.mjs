// GETs of an object or of a range of it, judged for what makes them whole, tried again where that may help.

import { setTimeout as sleep } from "node:timers/promises";
import { InstanceCredentials } from "./credentials.mjs";
import { Changed, Forbidden, Refusal, Transient } from "./outcome.mjs";
import { encodeKey, Signer } from "./sign.mjs";

const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/;

function field(answer, name) {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.text ?? "")?.[1];
}

/** What an answer that is not the body means. */
function meaningOf(file, answer) {
  const { status, headers } = answer;
  const code = field(answer, "Code") ?? "";
  const said = code === "" ? `status ${status}` : `status ${status}, ${code}`;
  if (status === 412) return new Changed(`${file.key} was replaced while it was being fetched`);
  if (code === "NoSuchBucket") return new Refusal("E_ACCESS", "the bucket is not there any more");
  if (status === 404 || status === 416)
    return new Changed(`${file.key} is not in the bucket any more as it was`);
  const region = headers["x-amz-bucket-region"] ?? field(answer, "Region");
  if (status === 301 || status === 307 || code === "AuthorizationHeaderMalformed") {
    const where = region === undefined ? "another region" : region;
    return new Refusal("E_REGION", `the bucket is in ${where}, not where the plan says (${said})`);
  }
  const expired =
    ["ExpiredToken", "TokenRefreshRequired"].includes(code) || /has expired/.test(answer.text);
  if (status === 401 || status === 403 || expired)
    return new Forbidden(`S3 refuses ${file.key} (${said})`, expired);
  const slowDown = status === 429 || status === 503;
  if (slowDown || status >= 500 || code === "RequestTimeout")
    return new Transient(`S3 gave ${said} for ${file.key}`, slowDown);
  return new Refusal("E_S3", `S3 gave ${said} for ${file.key}`);
}

/** Checks the head of an answer; false when it is none that carries the bytes. */
function fits(file, range, { status, headers }) {
  const { start, length } = range;
  if (status !== 206 && !(status === 200 && length === file.size)) return false;
  const wanted = `bytes ${start}-${start + length - 1}/${file.size}`;
  if (status === 206 && headers["content-range"] !== wanted)
    throw new Transient(`${file.key}: asked for ${wanted}, got ${headers["content-range"]}`);
  if (headers.etag !== undefined && headers.etag !== file.etag)
    throw new Changed(`${file.key} has another ETag than at the start`);
  if (headers["content-length"] !== String(length))
    throw new Transient(`${file.key}: ${headers["content-length"]} bytes instead of ${length}`);
  return true;
}

/** What all lanes of a thread share: credentials, clock, patience. */
export class Reader {
  #plan;
  #origin;
  #signer;
  #credentials = new InstanceCredentials();
  #skewMs = 0;
  #onTrouble;
  stopped = false;

  /** @param onTrouble is told of each failure that will be tried again */
  constructor(plan, origin, onTrouble) {
    this.#plan = plan;
    this.#origin = origin;
    this.#onTrouble = onTrouble;
    const extra = { "x-amz-checksum-mode": "ENABLED" };
    if (plan.requesterPays) extra["x-amz-request-payer"] = "requester";
    this.#signer = new Signer({ host: origin.host, region: plan.region, extra });
  }

  /** Puts bytes of an object into `view` and returns the answer's headers; `grow(got)` is told of progress. */
  async read(connection, file, range, view, grow) {
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      let role;
      try {
        role = this.#credentials.ready ?? (await this.#credentials.get());
        return await this.#try(connection, role, file, range, view, grow);
      } catch (error) {
        if (this.stopped) throw error;
        if (error instanceof Forbidden && error.expired && role !== undefined && !renewed) {
          renewed = true;
          this.#credentials.expire(role);
          continue;
        }
        if (!(error instanceof Transient)) throw error;
        if (untrusted.test(error.cause)) throw new Refusal("E_TLS", error.message);
        if (attempt >= this.#plan.attempts)
          throw new Refusal("E_NETWORK", `${file.key}: ${error.message} (${attempt} tries)`);
        this.#onTrouble(error);
        // A kept connection that the server had ended meanwhile is no sign of trouble: the first try again comes soon.
        await sleep(Math.min(8000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2));
        // Told to end while it slept: another try would hold up a system that goes down.
        if (this.stopped) throw error;
      }
    }
  }

  /** By the instance's role where it has one; a presigned address is the other way, and the second try of a refusal. */
  #try(connection, role, file, range, view, grow) {
    const ask = (request) => this.#get(connection, request, file, range, view, grow);
    if (role === undefined) return ask(this.#presigned(file));
    const got = ask(this.#signed(role, file));
    if (file.query === undefined) return got;
    return got.catch((error) => {
      if (!(error instanceof Forbidden) || error.expired) throw error;
      return ask(this.#presigned(file));
    });
  }

  #presigned({ key, query }) {
    if (query === undefined)
      throw new Forbidden("the host has no role, and the plan no presigned addresses", false);
    const path = `${this.#origin.path}${encodeKey(key)}?${query}`;
    return { path, lines: `host: ${this.#origin.host}\r\n` };
  }

  #signed(role, file) {
    const path = this.#origin.path + encodeKey(file.key);
    return { path, lines: this.#signer.lines(path, role, Date.now() + this.#skewMs) };
  }

  async #get(connection, { path, lines }, file, range, view, grow) {
    const { start, length } = range;
    const only = length === file.size ? "" : `range: bytes=${start}-${start + length - 1}\r\n`;
    const request = `GET ${path} HTTP/1.1\r\n${lines}if-match: ${file.etag}\r\n${only}\r\n`;
    const answer = await connection.exchange(
      request,
      (head) => (fits(file, range, head) ? view.subarray(0, length) : undefined),
      grow,
    );
    if (answer.bytes === length) return answer.headers;
    throw this.#skewed(answer) ?? meaningOf(file, answer);
  }

  /** A host whose clock is off signs by the server's clock from then on. */
  #skewed(answer) {
    if (field(answer, "Code") !== "RequestTimeTooSkewed") return undefined;
    const skewMs = Date.parse(answer.headers.date) - Date.now();
    if (Number.isNaN(skewMs) || Math.abs(skewMs - this.#skewMs) < 60_000) return undefined;
    this.#skewMs = skewMs;
    return new Transient("this host's clock is off");
  }
}
