import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** How the next ranged GETs misbehave; each is used up once it has struck `times`. */
export interface Fault {
  readonly kind:
    keyof typeof refusals | "cut-503" | "reset" | "short" | "stall" | "replaced" | "flip";
  times: number;
}

/** Status and code of the answers that are no object. */
const refusals = {
  "500": [500, "InternalError"],
  "503": [503, "SlowDown"],
  forbidden: [403, "AccessDenied"],
  expired: [400, "ExpiredToken"],
  elsewhere: [301, "PermanentRedirect"],
  gone: [404, "NoSuchKey"],
} as const;

/** An S3 of one bucket in memory: list, head and ranged GET with If-Match and checksums; faults on request. */
export class S3Server {
  readonly bucket = "weights";
  /** Body bytes sent by GETs. */
  sent = 0;
  gets = 0;
  faults: Fault[] = [];
  /** Bytes a second for each GET; undefined is as fast as it goes. */
  slowness: number | undefined;
  /** "none" leaves the checksum out; "parts" gives the one of an upload in parts of {@link partBytes}. */
  checksum: "CRC32" | "none" | "parts" = "CRC32";
  readonly partBytes = 600_000;
  /** Seconds that this server's clock is ahead; it refuses signatures that are a quarter of an hour off. */
  aheadSeconds = 0;
  /** Headers of the GETs, the last ones at the end. */
  readonly asked: IncomingMessage["headers"][] = [];
  readonly #objects = new Map<string, Buffer>();
  readonly #etags = new Map<string, string>();
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
    this.#etags.delete(key);
  }

  etag(key: string): string {
    const known = this.#etags.get(key);
    if (known !== undefined) return known;
    const etag = `"${createHash("md5").update(this.#objects.get(key)!).digest("hex")}"`;
    this.#etags.set(key, etag);
    return etag;
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
      const length = url.searchParams.has("partNumber")
        ? Math.min(this.partBytes, content.length)
        : content.length;
      const about = { "content-length": length, etag: this.etag(key), ...this.#sums(content) };
      response.writeHead(200, about).end();
      return;
    }
    await this.#get(request, response, key, content);
  }

  #sums(content: Buffer): Record<string, string> {
    const sum = (bytes: Buffer): Buffer => {
      const value = Buffer.alloc(4);
      value.writeUInt32BE(crc32(bytes));
      return value;
    };
    if (this.checksum === "none") return {};
    if (this.checksum === "CRC32") {
      const value = sum(content).toString("base64");
      return { "x-amz-checksum-crc32": value, "x-amz-checksum-type": "FULL_OBJECT" };
    }
    const parts: Buffer[] = [];
    for (let at = 0; at < content.length; at += this.partBytes)
      parts.push(sum(content.subarray(at, at + this.partBytes)));
    const value = `${sum(Buffer.concat(parts)).toString("base64")}-${String(parts.length)}`;
    return { "x-amz-checksum-crc32": value, "x-amz-checksum-type": "COMPOSITE" };
  }

  #refuse(response: ServerResponse, status: number, code: string): void {
    const headers = {
      date: new Date(Date.now() + this.aheadSeconds * 1000).toUTCString(),
      "content-type": "application/xml",
      ...(status === 301 ? { "x-amz-bucket-region": "eu-west-1" } : {}),
    };
    response.writeHead(status, headers).end(`<Error><Code>${code}</Code></Error>`);
  }

  /** Signed at a time that is not this server's. */
  #skewed(request: IncomingMessage): boolean {
    const [, y, mo, d, h, mi, sec] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(request.headers["x-amz-date"])) ?? [];
    if (y === undefined) return false;
    const at = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(sec));
    return Math.abs(Date.now() + this.aheadSeconds * 1000 - at) > 900_000;
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
    this.asked.push(request.headers);
    const etag = this.etag(key);
    if (request.headers["if-match"] !== etag) {
      response.writeHead(412).end();
      return;
    }
    const fault = this.#nextFault();
    if (this.#skewed(request)) {
      this.#refuse(response, 403, "RequestTimeTooSkewed");
      return;
    }
    if (fault !== undefined && fault in refusals) {
      const [status, code] = refusals[fault as keyof typeof refusals];
      this.#refuse(response, status, code);
      return;
    }
    if (fault === "replaced") this.put(key, Buffer.from(content.map((byte) => byte ^ 1)));
    response.setHeader("etag", etag);
    const body = this.#begin(request, response, content, fault);
    if (fault !== undefined && ["reset", "cut-503", "short", "stall"].includes(fault))
      this.#sendHalf(request, response, body, fault);
    else await this.#send(response, body);
  }

  /** Writes the head of an answer and gives its body. */
  #begin(
    request: IncomingMessage,
    response: ServerResponse,
    content: Buffer,
    fault: Fault["kind"] | undefined,
  ): Buffer {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const start = Number(match?.[1] ?? 0);
    const stop = Number(match?.[2] ?? content.length - 1);
    const body = Buffer.from(content.subarray(start, stop + 1));
    if (fault === "flip") body[0] = (body[0] ?? 0) ^ 1;
    response.writeHead(match === null ? 200 : 206, {
      "content-length": body.length,
      ...(match === null
        ? this.#sums(content)
        : { "content-range": `bytes ${String(start)}-${String(stop)}/${String(content.length)}` }),
    });
    return body;
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
