import type { ApiReply } from "../proxy/api-request.ts";

/** An answer of the JSON protocol. */
export function json(body: object): ApiReply {
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  };
}
