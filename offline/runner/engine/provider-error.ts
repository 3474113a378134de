import { status } from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import errorsPb from "@pulumi/pulumi/proto/errors_pb.js";

import { isServiceError } from "./grpc.ts";
import type { Plugin } from "./plugin-host.ts";
import { fromStruct } from "./property-marshal.ts";
import type { PropertyMap } from "./property-value.ts";
import { ProviderError } from "./provider.ts";

/** A resource that was made and did not come up as wanted. */
export interface PartialFailure {
  readonly id: string;
  readonly outputs: PropertyMap;
  readonly inputs: PropertyMap | undefined;
  readonly reasons: readonly string[];
  readonly message: string;
}

/** Reads a partial failure (`ErrorResourceInitFailed`) from the details of a gRPC error; undefined when it is another error. */
export function partialFailure(error: unknown): PartialFailure | undefined {
  const bytes = detail(error, "ErrorResourceInitFailed");
  if (bytes === undefined) return undefined;
  const failed = providerPb.ErrorResourceInitFailed.deserializeBinary(bytes);
  const message = isServiceError(error)
    ? error.details
    : "the resource was made and did not come up";
  const reasons = failed.getReasonsList();
  return {
    id: failed.getId(),
    outputs: fromStruct(failed.getProperties()),
    inputs: failed.hasInputs() ? fromStruct(failed.getInputs()) : undefined,
    reasons: reasons.length === 0 ? [message] : reasons,
    message,
  };
}

function detail(error: unknown, type: string): Uint8Array | undefined {
  if (!isServiceError(error)) return undefined;
  for (const value of error.metadata.get("grpc-status-details-bin")) {
    if (!Buffer.isBuffer(value)) continue;
    const details = statusPb.Status.deserializeBinary(value).getDetailsList();
    const found = details.find((any) => any.getTypeName().endsWith(type));
    if (found !== undefined) return found.getValue_asU8();
  }
  return undefined;
}

/** What a call was for, in a sentence: "creating urn:...". */
export interface CallPurpose {
  readonly doing: string;
  /** "" when it is not about one resource. */
  readonly urn: string;
}

/** The error of a plugin's call as a {@link ProviderError}: who, what, and whether the outcome is known. */
export function explainCallError(
  error: unknown,
  plugin: Plugin,
  purpose: CallPurpose,
  limitSeconds: number,
): ProviderError {
  const what = purpose.urn === "" ? purpose.doing : `${purpose.doing} ${purpose.urn}`;
  const who = `the resource plugin "${plugin.name}"${plugin.version === "" ? "" : ` ${plugin.version}`}`;
  const cause = { cause: error };
  if (!isServiceError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return new ProviderError(`${who} gave a bad answer while ${what}: ${message}`, true, cause);
  }
  const exit = plugin.ended();
  if (error.code === status.UNAVAILABLE || exit !== undefined) {
    const how = exit === undefined ? "cannot be reached" : exitText(exit.code, exit.signal);
    return new ProviderError(`${who} ${how} while ${what}: ${error.details}`, true, cause);
  }
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new ProviderError(
      `${who} did not answer within ${limitSeconds} s while ${what}`,
      true,
      cause,
    );
  }
  if (error.code === status.UNIMPLEMENTED) {
    return new ProviderError(`${who} does not support ${what}: ${error.details}`, false, cause);
  }
  if (isDecodeError(error.details)) {
    return new ProviderError(
      `${who} gave a bad answer while ${what}: ${error.details}`,
      true,
      cause,
    );
  }
  return new ProviderError([error.details, ...propertyErrors(error)].join("\n"), false, cause);
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code ?? "unknown"}` : `was ended by ${signal}`;
}

function isDecodeError(details: string): boolean {
  return /parsing|deserializ|decod/i.test(details) && /response|message|failure/i.test(details);
}

function propertyErrors(error: unknown): string[] {
  const bytes = detail(error, "InputPropertiesError");
  if (bytes === undefined) return [];
  const errors = errorsPb.InputPropertiesError.deserializeBinary(bytes).getErrorsList();
  return errors.map((one) => `  - ${one.getPropertyPath()}: ${one.getReason()}`);
}
