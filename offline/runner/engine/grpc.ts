import * as grpc from "@grpc/grpc-js";
import { promisify } from "node:util";

/** Messages may be as large as in Pulumi's own engine: 400 MiB. */
const channelOptions: grpc.ChannelOptions = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

/** Connects to a server on loopback; nothing is sent before the first call. */
export function connect(address: string): grpc.Client {
  return new grpc.Client(address, grpc.credentials.createInsecure(), channelOptions);
}

/** Calls one method; rejects with a `grpc.ServiceError`. */
export function callUnary<Request, Response>(
  client: grpc.Client,
  method: grpc.MethodDefinition<Request, Response>,
  request: Request,
  deadlineSeconds: number,
): Promise<Response> {
  const deadline = Date.now() + deadlineSeconds * 1000;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new grpc.Metadata(),
      { deadline },
      (error, response) => {
        if (error !== null) reject(error);
        else if (response === undefined) reject(new Error(`${method.path} answered nothing`));
        else resolve(response);
      },
    );
  });
}

/** Whether an error came from a gRPC call. */
export function isServiceError(error: unknown): error is grpc.ServiceError {
  return (
    error instanceof Error &&
    "code" in error &&
    "details" in error &&
    typeof error.code === "number"
  );
}

/** An error that a caller of the engine's own services gets with a status code of its own. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: grpc.status;

  constructor(code: grpc.status, message: string) {
    super(message);
    this.code = code;
  }
}

/** A method's implementation as a promise. */
export type UnaryHandler<Request, Response> = (request: Request) => Promise<Response>;

/** Adapts a promise to gRPC; a {@link StatusError} keeps its code, all else is UNKNOWN. */
export function unaryHandler<Request, Response>(
  handler: UnaryHandler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    handler(call.request).then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        const code = error instanceof StatusError ? error.code : grpc.status.UNKNOWN;
        callback({ code, details: message });
      },
    );
  };
}

/** A server on a free port of 127.0.0.1. */
export interface RunningServer {
  readonly address: string;
  /** Ends it at once; open calls are cut. */
  stop(): void;
}

/** Serves the services that `add` adds. */
export async function serve(add: (server: grpc.Server) => void): Promise<RunningServer> {
  const server = new grpc.Server(channelOptions);
  add(server);
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  return {
    address: `127.0.0.1:${port}`,
    stop: () => {
      server.forceShutdown();
    },
  };
}
