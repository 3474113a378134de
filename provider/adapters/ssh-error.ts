/** Why an SSH operation failed. */
export type SshFailure =
  | "host-key" // the host showed a key that is not the pinned one: never retried
  | "auth" // it refused our key: retried only while a machine boots
  | "unreachable" // no connection could be made
  | "lost" // the connection, or the answer, went away: what ran may have ended or not
  | "timeout" // a command did not end in its time
  | "credentials"; // there is no usable key on this side

/** An SSH failure with its kind. */
export class SshError extends Error {
  override readonly name = "SshError";
  readonly failure: SshFailure;

  constructor(failure: SshFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.failure = failure;
  }
}

const retryableCodes = new Set([
  "ECONNREFUSED",
  "ETIMEDOUT",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
]);

/** Names the kind of an error of ssh2's client, told by its `level`, its code or its text. */
export function classify(
  error: Error & { level?: string; code?: string },
  where: string,
): SshError {
  if (error.level === "client-authentication") {
    return new SshError("auth", `${where} refuses the key: ${error.message}`, error);
  }
  if (error.level === "client-timeout") {
    return new SshError("unreachable", `${where} did not answer in time: ${error.message}`, error);
  }
  if (error.level === "client-socket" || retryableCodes.has(error.code ?? "")) {
    return new SshError("unreachable", `${where}: ${error.message}`, error);
  }
  return new SshError("lost", `${where}: ${error.message}`, error);
}
