import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * An S3 that keeps the size of what it is sent, and nothing else: it makes no checksum and writes no disk, so that what a
 * benchmark measures is the client.
 */
export class S3Sink {
  readonly #objects = new Map<string, { size: number; headers: Record<string, string> }>();
  readonly #parts = new Map<string, Map<string, number>>();
  #count = 0;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });

  /** @returns its endpoint */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let size = 0;
    for await (const piece of request) size += (piece as Buffer).length;
    const decoded = request.headers["x-amz-decoded-content-length"];
    this.#answer(request, response, decoded === undefined ? size : Number(decoded));
  }

  #answer(request: IncomingMessage, response: ServerResponse, size: number): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/.exec(pathname) ?? [];
    const etag = `"sink-${(this.#count += 1)}"`;
    const xml = (text: string): void => {
      response.writeHead(200, { "content-type": "application/xml", etag }).end(text);
    };
    const upload = searchParams.get("uploadId");
    const method = request.method ?? "";
    if (key === "") {
      const objects = [...this.#objects].filter(([name]) => name.startsWith(`${bucket}/`));
      const contents = objects.map(
        ([name, object]) =>
          `<Contents><Key>${name.slice(bucket.length + 1)}</Key><Size>${object.size}</Size><ETag>"x"</ETag></Contents>`,
      );
      xml(
        `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`,
      );
    } else if (method === "HEAD" || method === "GET") {
      const object = this.#objects.get(`${bucket}/${key}`);
      if (object === undefined) response.writeHead(404).end();
      else {
        const { headers } = object;
        response.writeHead(200, { ...headers, "content-length": object.size, etag }).end();
      }
    } else if (searchParams.has("uploads")) {
      this.#keep(`${bucket}/${key}`, request, 0);
      const id = etag.replaceAll('"', "");
      this.#parts.set(id, new Map());
      xml(
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    } else if (upload !== null && method === "POST") {
      const parts = this.#parts.get(upload) ?? new Map<string, number>();
      const object = this.#objects.get(`${bucket}/${key}`);
      if (object !== undefined) object.size = [...parts.values()].reduce((a, b) => a + b, 0);
      xml(`<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>`);
    } else {
      if (upload === null) this.#keep(`${bucket}/${key}`, request, size);
      else this.#parts.get(upload)?.set(searchParams.get("partNumber") ?? "", size);
      response.writeHead(200, { etag, "content-length": 0 }).end();
    }
  }

  #keep(name: string, request: IncomingMessage, size: number): void {
    const headers = Object.entries(request.headers).filter(([each]) =>
      each.startsWith("x-amz-meta-"),
    );
    this.#objects.set(name, {
      size,
      headers: Object.fromEntries(headers) as Record<string, string>,
    });
  }
}
