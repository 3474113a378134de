import type { IncomingMessage, ServerResponse } from "node:http";
import { cutAt } from "../faults.ts";
import { ApiError, type ApiRequestHead } from "../proxy/api-request.ts";
import { forward } from "../proxy/forward.ts";
import type { S3Outcome, TakeFault } from "../proxy/front.ts";
import type { ObjectStore } from "./object-store.ts";
import { addressOf, type S3Call } from "./s3-call.ts";
import { bucketOperation, s3Route } from "./s3-service.ts";

/** Refuses requests without a signature, and presigned ones that are past their time. */
function checkSigned(head: ApiRequestHead): void {
  const { query, headers } = head;
  const presigned = query.get("X-Amz-Signature") !== null;
  if (headers["authorization"] === undefined && !presigned) {
    throw new ApiError("AccessDenied", "Access Denied", 403);
  }
  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "") ?? [];
  if (!presigned || y === undefined) return;
  const signed = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  if (Date.now() > signed + Number(query.get("X-Amz-Expires")) * 1000) {
    throw new ApiError("AccessDenied", "Request has expired", 403);
  }
}

/** Keeps the store's list of buckets in step with moto's, which answers for the buckets themselves. */
async function bucketCall(call: S3Call, operation: string, motoPort: number): Promise<void> {
  if (operation === "DeleteBucket") {
    const { objects } = call.store.bucket(call.bucket);
    if (objects.size > 0) {
      throw new ApiError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409);
    }
  }
  const pieces: Buffer[] = [];
  for await (const piece of call.request) pieces.push(piece as Buffer);
  // Path style, whatever style the caller used.
  const url =
    call.bucket === "" ? call.head.url : `/${call.bucket}${call.head.url.replace(/^\/[^?]*/, "")}`;
  const headers = { ...call.head.headers, host: "s3.amazonaws.com" };
  const reply = await forward(motoPort, {
    method: call.head.method,
    url,
    headers,
    body: Buffer.concat(pieces),
  });
  if (reply.status >= 500)
    throw new ApiError("NotImplemented", `The emulated AWS does not have s3:${operation}.`, 501);
  if (reply.status < 300 && operation === "CreateBucket") call.store.addBucket(call.bucket);
  if (reply.status < 300 && operation === "DeleteBucket") call.store.removeBucket(call.bucket);
  call.response.writeHead(reply.status, reply.headers);
  call.response.end(call.head.method === "HEAD" ? undefined : reply.body);
}

/** S3: objects from the store, buckets from moto. */
export function s3Backend(store: ObjectStore, motoPort: number) {
  return async (
    head: ApiRequestHead,
    request: IncomingMessage,
    response: ServerResponse,
    take: TakeFault,
  ): Promise<S3Outcome> => {
    const address = addressOf(head);
    let cut: ((size: number) => number) | undefined;
    const call: S3Call = {
      head,
      ...address,
      request,
      response,
      store,
      cutAfter: (size) => cut?.(size),
    };
    const route = s3Route(call);
    const operation = route?.operation ?? bucketOperation(call);
    const range = head.headers["range"];
    const outcome: S3Outcome = {
      operation,
      parameters: {
        Bucket: address.bucket,
        ...(address.key === "" ? {} : { Key: address.key }),
        ...(range === undefined ? {} : { Range: range }),
        ...Object.fromEntries([...head.query].filter(([name]) => !name.startsWith("X-Amz-"))),
      },
    };
    const fault = await take({ service: "s3", operations: [operation], key: address.key });
    if (fault?.kind === "cut-body") {
      cut = (size) =>
        Math.min(
          size,
          cutAt(fault, { status: 200, headers: {}, body: Buffer.alloc(0) }) || Math.floor(size / 2),
        );
    }
    checkSigned(head);
    response.setHeader("x-amz-request-id", crypto.randomUUID());
    if (route === undefined) await bucketCall(call, operation, motoPort);
    else await route.serve(call);
    return outcome;
  };
}
