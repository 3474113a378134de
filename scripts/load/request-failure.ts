import type { FailureKind } from "../../components/load-report/request-sample.ts";

/** A request without a whole answer, by its kind. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  readonly kind: FailureKind;
  /** How long the server wants to be left alone, seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: FailureKind, message: string, retryAfterSeconds?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Seconds of a `Retry-After` header, which has a count or a date (RFC 9110, section 10.2.3). */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  const count = Number(header);
  if (Number.isFinite(count)) return Math.max(0, count);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/** The failure that an HTTP status other than 200 stands for. */
export function failureOfStatus(status: number, body: string, retryAfter?: string): RequestFailure {
  const said = body.replaceAll(/\s+/g, " ").trim().slice(0, 300);
  const message = `status ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 429) {
    return new RequestFailure("throttled", message, retryAfterSeconds(retryAfter, Date.now()));
  }
  if (status >= 500) {
    return new RequestFailure("server-error", message, retryAfterSeconds(retryAfter, Date.now()));
  }
  if (status >= 300 && status < 400) {
    return new RequestFailure("redirect", `${message}; a redirect is not followed`);
  }
  return new RequestFailure(status >= 400 ? "client-error" : "malformed", message);
}
