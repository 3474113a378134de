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
  const text = reply.body.toString();
  const page =
    /^\s*<!doctype html|^\s*<html/i.test(text) ||
    /action has not been implemented|NotImplementedError/.test(text);
  const bareNotFound = reply.status === 404 && html && text.includes("Not yet implemented");
  if (!(reply.status >= 400 && html && page) && !bareNotFound && reply.status !== 501) return reply;
  const missing =
    bareNotFound ||
    reply.status === 404 ||
    /has not been implemented|NotImplementedError/.test(text);
  throw new ApiError(
    missing ? "UnsupportedOperation" : "EmulationFailure",
    missing
      ? `The emulated AWS does not have ${call.service}:${call.operation}.`
      : `The emulated AWS failed at ${call.service}:${call.operation}.`,
  );
}
