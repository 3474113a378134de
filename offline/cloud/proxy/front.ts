import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallLog } from "../call-log.ts";
import type { Clock } from "../clock.ts";
import { cutAt, refusalOf, type Fault, type Faults, type FaultSubject } from "../faults.ts";
import {
  ApiError,
  readHead,
  type ApiReply,
  type ApiRequest,
  type ApiRequestHead,
} from "./api-request.ts";
import { errorReply } from "./error-reply.ts";
import { identify } from "./identify.ts";

/** What stands behind the front: one function a way in. */
export interface Backends {
  /** Everything but S3. */
  api(call: ApiRequest): Promise<ApiReply>;
  /** S3, which streams; returns what the log says of it. */
  s3(
    head: ApiRequestHead,
    request: IncomingMessage,
    response: ServerResponse,
    take: TakeFault,
  ): Promise<S3Outcome>;
  /** The cloud's own routes below `/_cloud/`. */
  control(path: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** What a call launches, so that faults can be told by type and zone. */
  launchOf(call: ApiRequest): Promise<Pick<FaultSubject, "instanceType" | "availabilityZone">>;
}

/** Asks whether a fault meets this call; throws the fault's refusal. */
export type TakeFault = (subject: FaultSubject) => Promise<Fault | undefined>;

/** What an S3 request was. */
export interface S3Outcome {
  readonly operation: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Thrown to end a connection without an answer. */
class ConnectionReset extends Error {}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Sends an answer whose end is not known yet; what fails half-way cuts the connection, as it does at AWS. */
async function sendStream(
  response: ServerResponse,
  { status, headers }: ApiReply,
  stream: AsyncIterable<Buffer>,
): Promise<void> {
  response.writeHead(status, headers);
  await pipeline(stream, response).catch(() => response.socket?.destroy());
}

function send(response: ServerResponse, reply: ApiReply, cut: number | undefined): void {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, "content-length": body.length });
  if (cut === undefined) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, cut), () => response.socket?.destroy());
}

async function sendWhole(
  response: ServerResponse,
  reply: ApiReply,
  fault: Fault | undefined,
): Promise<void> {
  if (reply.stream !== undefined) await sendStream(response, reply, reply.stream);
  else send(response, reply, fault?.kind === "cut-body" ? cutAt(fault, reply) : undefined);
}

/** The HTTP server that clients see as AWS: tells calls apart, logs them, lets faults act. */
export class Front {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #backends: Backends | undefined;

  constructor(log: CallLog, clock: Clock, faults: Faults) {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response, { log, clock, faults }).catch(() =>
        response.socket?.destroy(),
      );
    });
    this.#server.keepAliveTimeout = 30_000;
    this.#server.requestTimeout = 0;
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
  }

  /** Listens on a free port of 127.0.0.1 and returns it. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  connect(backends: Backends): void {
    this.#backends = backends;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    parts: { log: CallLog; clock: Clock; faults: Faults },
  ): Promise<void> {
    const backends = this.#backends;
    if (backends === undefined) {
      response.writeHead(503).end();
      return;
    }
    const path = request.url ?? "/";
    if (path.startsWith("/_cloud/")) {
      await backends.control(path.slice("/_cloud/".length), request, response);
      return;
    }
    const started = Date.now();
    const head = readHead(request);
    let outcome: S3Outcome & { error?: string };
    let fault: Fault | undefined;
    const take: TakeFault = async (subject) => {
      fault = parts.faults.take(subject);
      if (fault?.kind === "reset") throw new ConnectionReset();
      if (fault?.kind === "slow") await sleep(fault.milliseconds ?? 1000);
      const refusal = fault === undefined ? undefined : refusalOf(fault, subject);
      if (refusal !== undefined) throw refusal;
      return fault;
    };
    try {
      outcome =
        head.service === "s3"
          ? await answerS3(backends, head, request, response, take)
          : await answerApi(backends, head, request, response, take);
    } catch (error) {
      if (!(error instanceof ConnectionReset)) throw error;
      request.socket.resetAndDestroy();
      outcome = { operation: head.path, parameters: {}, error: "ConnectionReset" };
    }
    const caller =
      head.headers["x-berth-caller"] ??
      (head.headers["x-berth-fleet"] === undefined ? undefined : "fleet");
    if (caller === "cloud") return;
    parts.log.add({
      at: parts.clock.now().toISOString(),
      service: head.service,
      region: head.region,
      ...outcome,
      status: outcome.error === "ConnectionReset" ? 0 : response.statusCode,
      ...(caller === undefined ? {} : { caller }),
      milliseconds: Date.now() - started,
    });
  }
}

/** An error as S3 answers it. A full disk is not tried again by SDKs, as a 500 would be: it stays full. */
function s3Refusal(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  return /^(ENOSPC|EDQUOT)$/.test(code)
    ? new ApiError("InsufficientStorage", `This machine's disk is full: ${String(error)}`, 507)
    : new ApiError("InternalError", String(error), 500);
}

async function answerS3(
  backends: Backends,
  head: ApiRequestHead,
  request: IncomingMessage,
  response: ServerResponse,
  take: TakeFault,
): Promise<S3Outcome & { error?: string }> {
  let outcome: S3Outcome = { operation: `${head.method} ${head.path}`, parameters: {} };
  try {
    outcome = await backends.s3(head, request, response, (subject) => {
      outcome = {
        operation: subject.operations[0] ?? outcome.operation,
        parameters: { Key: subject.key },
      };
      return take(subject);
    });
    return outcome;
  } catch (error) {
    if (error instanceof ConnectionReset) throw error;
    if (response.headersSent) {
      response.destroy();
      return { ...outcome, error: "ConnectionLost" };
    }
    const refusal = s3Refusal(error);
    // A body that is not read would keep the connection from being used again.
    request.resume();
    const reply = errorReply("s3", refusal);
    if (request.method === "HEAD") response.writeHead(refusal.status).end();
    else send(response, reply, undefined);
    return { ...outcome, error: refusal.code };
  }
}

async function answerApi(
  backends: Backends,
  head: ApiRequestHead,
  request: IncomingMessage,
  response: ServerResponse,
  take: TakeFault,
): Promise<S3Outcome & { error?: string }> {
  const call = identify(head, await readBody(request));
  const outcome = { operation: call.operation, parameters: call.parameters };
  try {
    const fleet = call.headers["x-berth-fleet"] !== undefined;
    const launch = call.operation === "RunInstances" ? await backends.launchOf(call) : {};
    const operations = fleet ? [call.operation, "CreateFleet"] : [call.operation];
    const fault = await take({ service: call.service, operations, ...launch });
    const reply = await backends.api(call);
    await sendWhole(response, reply, fault);
    const code = /<Code>([^<]+)<\/Code>|"__type":\s*"(?:[^"]*#)?([^"]+)"/.exec(
      reply.status < 400 ? "" : reply.body.toString(),
    );
    const error =
      code?.[1] ??
      code?.[2] ??
      (reply.status < 400 ? undefined : reply.headers["x-amzn-errortype"]);
    return error === undefined ? outcome : { ...outcome, error };
  } catch (error) {
    if (error instanceof ConnectionReset) throw error;
    const refusal =
      error instanceof ApiError
        ? error
        : new ApiError("EmulationFailure", `The emulated AWS failed: ${String(error)}`);
    send(response, errorReply(call.protocol, refusal), undefined);
    return { ...outcome, error: refusal.code };
  }
}
