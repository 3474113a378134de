import * as grpc from "@grpc/grpc-js";
import { engineServices, enginePb } from "./stubs.ts";

/** How much a line matters. */
export type Severity = "info" | "warning" | "error";

/** Writes lines to the engine's log, where they show up under the resource they belong to. */
export interface EngineLog {
  write(urn: string, message: string, severity: Severity): void;
}

const levels = {
  info: enginePb.LogSeverity.INFO,
  warning: enginePb.LogSeverity.WARNING,
  error: enginePb.LogSeverity.ERROR,
};

/**
 * The log of the engine at an address; without one (a plugin started by hand) lines go to standard error.
 * A line that cannot be delivered is dropped: logging never fails a step.
 */
export function engineLog(address: string | undefined): EngineLog {
  if (address === undefined) {
    return {
      write: (_urn, message, severity) => process.stderr.write(`${severity}: ${message}\n`),
    };
  }
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const method = engineServices.EngineService.log;
  return {
    write: (urn, message, severity) => {
      const request = new enginePb.LogRequest();
      request.setSeverity(levels[severity]).setUrn(urn).setMessage(message);
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new grpc.Metadata(),
        { deadline: Date.now() + 10_000 },
        () => undefined,
      );
    },
  };
}
