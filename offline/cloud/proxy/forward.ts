import { Agent, request } from "node:http";
import type { ApiReply, ApiRequest } from "./api-request.ts";
import { ApiError } from "./api-request.ts";

const agent = new Agent({ keepAlive: false, maxSockets: 64 });
const hopByHop = new Set(["connection", "keep-alive", "transfer-encoding", "server", "date"]);

/** Sends a call to moto on its loopback port as it came, and reads the answer whole. */
export function forward(
  port: number,
  call: Pick<ApiRequest, "method" | "url" | "headers" | "body">,
): Promise<ApiReply> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {
      ...call.headers,
      "content-length": String(call.body.length),
    };
    delete headers["transfer-encoding"];
    delete headers["connection"];
    delete headers["expect"];
    const sent = request(
      { host: "127.0.0.1", port, method: call.method, path: call.url, headers, agent },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("error", reject);
        answer.on("end", () => {
          const kept: Record<string, string> = {};
          for (const [name, value] of Object.entries(answer.headers)) {
            if (value === undefined || hopByHop.has(name)) continue;
            kept[name] = Array.isArray(value) ? value.join(", ") : value;
          }
          resolve({ status: answer.statusCode ?? 500, headers: kept, body: Buffer.concat(pieces) });
        });
      },
    );
    sent.on("error", reject);
    sent.end(call.body);
  });
}

/**
 * Turns moto's page for what it does not implement, or stumbles over, into a plain refusal:
 * an HTML 500 would be retried by every SDK.
 */
export function refuseUnimplemented(call: ApiRequest, reply: ApiReply): ApiReply {
  const html = reply.headers["content-type"]?.includes("text/html") === true;
  const failure = reply.headers["x-berth-failure"];
  if (failure === undefined && !(html && reply.status >= 400)) return reply;
  const text = reply.body.toString();
  if (failure === "missing" || reply.status === 404 || text.includes("Not yet implemented")) {
    throw new ApiError(
      "UnsupportedOperation",
      `The emulated AWS does not have ${call.service}:${call.operation}.`,
    );
  }
  const detail = failure === undefined ? "" : ` (${failure}: ${text.slice(0, 300)})`;
  throw new ApiError(
    "EmulationFailure",
    `The emulated AWS failed at ${call.service}:${call.operation}${detail}.`,
  );
}
