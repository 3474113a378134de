import { OfflineError } from "../../offline-error.ts";

/** An error as one text for the engine: AWS's own errors by code and message, programming errors with their stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof OfflineError) {
    return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  }
  if ("code" in error && error.code === "ECONNREFUSED") {
    const endpoint = process.env["AWS_ENDPOINT_URL"] ?? "the endpoint";
    return `Nothing answers at ${endpoint} (AWS_ENDPOINT_URL): ${error.message || "connection refused"}`;
  }
  if ("$metadata" in error) return `${error.name}: ${error.message}`;
  return error.stack ?? error.message;
}
