import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** How the next ranged GETs misbehave; each is used up once it has struck `times`. */
export interface Fault {
  readonly kind:
    "503" | "cut-503" | "reset" | "short" | "stall" | "replaced" | "forbidden" | "flip";
  times: number;
}

/** An S3 of one bucket in memory: list, head and ranged GET with If-Match and checksums; faults on request. */
export class S3Server {
  readonly bucket = "weights";
  /** Body bytes sent by GETs. */
  sent = 0;
  gets = 0;
  faults: Fault[] = [];
  /** Bytes a second for each GET; undefined is as fast as it goes. */
  slowness: number | undefined;
  /** "none" leaves the checksum out of HEAD answers. */
  checksum: "CRC32" | "none" = "CRC32";
  readonly #objects = new Map<string, Buffer>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Environment with which the AWS SDK comes here. */
  get environment(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: "AKIATEST",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  put(key: string, content: Buffer): void {
    this.#objects.set(key, content);
  }

  etag(key: string): string {
    return `"${createHash("md5").update(this.#objects.get(key)!).digest("hex")}"`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://s3");
    const key = decodeURIComponent(url.pathname.slice(`/${this.bucket}/`.length));
    if (url.searchParams.has("list-type")) {
      this.#list(url.searchParams.get("prefix") ?? "", response);
      return;
    }
    const content = this.#objects.get(key);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (request.method === "HEAD") {
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(content));
      const extra =
        this.checksum === "none"
          ? {}
          : {
              "x-amz-checksum-crc32": checksum.toString("base64"),
              "x-amz-checksum-type": "FULL_OBJECT",
            };
      response
        .writeHead(200, { "content-length": content.length, etag: this.etag(key), ...extra })
        .end();
      return;
    }
    await this.#get(request, response, key, content);
  }

  #list(prefix: string, response: ServerResponse): void {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const items = keys.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${String(this.#objects.get(key)!.length)}</Size><ETag>${this.etag(key).replaceAll('"', "&quot;")}</ETag></Contents>`,
    );
    response.writeHead(200, { "content-type": "application/xml" });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${items.join("")}</ListBucketResult>`,
    );
  }

  async #get(
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    content: Buffer,
  ): Promise<void> {
    this.gets += 1;
    const etag = this.etag(key);
    if (request.headers["if-match"] !== etag) {
      response.writeHead(412).end();
      return;
    }
    const fault = this.#nextFault();
    if (fault === "503" || fault === "forbidden") {
      response.writeHead(fault === "503" ? 503 : 403).end();
      return;
    }
    if (fault === "replaced") this.put(key, Buffer.from(content.map((byte) => byte ^ 1)));
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const start = Number(match?.[1] ?? 0);
    const stop = Number(match?.[2] ?? content.length - 1);
    const body = Buffer.from(content.subarray(start, stop + 1));
    if (fault === "flip") body[0] = (body[0] ?? 0) ^ 1;
    response.writeHead(206, {
      "content-length": body.length,
      "content-range": `bytes ${String(start)}-${String(stop)}/${String(content.length)}`,
      etag,
    });
    if (fault !== undefined && ["reset", "cut-503", "short", "stall"].includes(fault))
      this.#sendHalf(request, response, body, fault);
    else await this.#send(response, body);
  }

  #nextFault(): Fault["kind"] | undefined {
    const fault = this.faults.find(({ times }) => times > 0);
    if (fault !== undefined) fault.times -= 1;
    return fault?.kind;
  }

  #sendHalf(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    fault: Fault["kind"],
  ): void {
    const half = body.subarray(0, body.length >> 1);
    this.sent += half.length;
    response.write(half);
    if (fault === "reset") setTimeout(() => request.socket.resetAndDestroy(), 20);
    else if (fault !== "stall") setTimeout(() => response.destroy(), 20);
  }

  async #send(response: ServerResponse, body: Buffer): Promise<void> {
    const piece = 64 * 1024;
    for (let at = 0; at < body.length && !response.destroyed; at += piece) {
      const chunk = body.subarray(at, at + piece);
      this.sent += chunk.length;
      if (!response.write(chunk)) await once(response);
      if (this.slowness !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, (chunk.length / this.slowness!) * 1000));
      }
    }
    response.end();
  }
}

/** Waits until a response can take more, or is gone. */
function once(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}
