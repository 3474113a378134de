import { closeSync, openSync, writeSync } from "node:fs";
import { credentials, type ClientWritableStream } from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/events_grpc_pb.js";
import eventsPb from "@pulumi/pulumi/proto/events_pb.js";
import type * as eventTypes from "@pulumi/pulumi/proto/events_pb.js";
import { OfflineError } from "../../offline-error.ts";
import type { EngineEvent } from "../contract.ts";

/** Where the events of an update are sent as JSON, for those who run the CLI: the Automation API above all. */
export interface EventLog {
  add(event: EngineEvent): void;
  /** Resolves when all are written or sent; a listener that is gone is no error. */
  close(): Promise<void>;
}

const scheme = "tcp://";

/**
 * Opens an event log: a file, or `tcp://<address>` of a `pulumirpc.Events` service.
 *
 * @throws OfflineError when a file cannot be written
 */
export function openEventLog(
  target: string | undefined,
  warn: (message: string) => void,
): EventLog {
  if (target === undefined) return { add: () => undefined, close: () => Promise.resolve() };
  return target.startsWith(scheme)
    ? streamLog(target.slice(scheme.length), warn)
    : fileLog(target, warn);
}

function fileLog(path: string, warn: (message: string) => void): EventLog {
  let file: number | undefined;
  try {
    file = openSync(path, "a", 0o600);
  } catch (error) {
    throw new OfflineError(`could not create event log: ${(error as Error).message}`);
  }
  return {
    add: (event) => {
      if (file === undefined) return;
      try {
        writeSync(file, `${JSON.stringify(event)}\n`);
      } catch (error) {
        // A full disk under the log must not end an update half way.
        warn(`the event log ends here: ${(error as Error).message}`);
        closeSync(file);
        file = undefined;
      }
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
      return Promise.resolve();
    },
  };
}

/** How long a listener has to take the last events. */
const patienceMs = 5000;

function streamLog(address: string, warn: (message: string) => void): EventLog {
  const client = new services.EventsClient(address, credentials.createInsecure());
  let open = true;
  const { promise: ended, resolve: end } = Promise.withResolvers<undefined>();
  const stream: ClientWritableStream<eventTypes.EventRequest> = client.streamEvents((error) => {
    if (error !== null && open) warn(`the event listener is gone: ${error.details}`);
    open = false;
    end(undefined);
  });
  // The call's own callback tells of the failure.
  stream.on("error", () => undefined);
  return {
    add: (event) => {
      if (!open) return;
      const request = new eventsPb.EventRequest();
      request.setEvent(JSON.stringify(event));
      stream.write(request);
    },
    close: async () => {
      if (open) stream.end();
      const timer = setTimeout(() => {
        end(undefined);
      }, patienceMs);
      await ended;
      clearTimeout(timer);
      client.close();
    },
  };
}
