import * as grpc from "@grpc/grpc-js";
import { enginePb, engineServices } from "./stubs.ts";

/** Writes a line to the engine's log, under the resource with that URN. */
export type LogLine = (urn: string, message: string, severity: "info" | "warning") => void;

/**
 * The log of the engine at an address; without one (a plugin started by hand) lines go to standard error.
 * A line that cannot be delivered is dropped: logging never fails a step.
 */
export function engineLog(address: string | undefined): LogLine {
  if (address === undefined) {
    return (_urn, message, severity) => process.stderr.write(`${severity}: ${message}\n`);
  }
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const method = engineServices.EngineService.log;
  return (urn, message, severity) => {
    const { INFO, WARNING } = enginePb.LogSeverity;
    const request = new enginePb.LogRequest().setUrn(urn).setMessage(message);
    request.setSeverity(severity === "info" ? INFO : WARNING);
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new grpc.Metadata(),
      { deadline: Date.now() + 10_000 },
      () => undefined,
    );
  };
}
