import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * An S3 that keeps the size of what it is sent, and nothing else: it makes no checksum and writes no disk, so that what a
 * benchmark measures is the client.
 */
export class S3Sink {
  readonly #objects = new Map<string, { size: number; headers: Record<string, string> }>();
  readonly #parts = new Map<string, Map<string, number>>();
  #count = 0;
  readonly #servers: Server[] = [];

  async #listen(port: number, address: string): Promise<number> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, address, resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  /**
   * @param usualAt an address where it listens at port 80 as well
   * @returns its endpoint
   */
  async start(usualAt?: string): Promise<string> {
    if (usualAt !== undefined) await this.#listen(80, usualAt);
    return `http://127.0.0.1:${await this.#listen(0, "127.0.0.1")}`;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
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
    const name = `${bucket}/${key}`;
    const upload = searchParams.get("uploadId") ?? undefined;
    const document =
      key === ""
        ? this.#list(bucket)
        : request.method === "POST"
          ? this.#post(name, upload, etag.replaceAll('"', ""), request)
          : undefined;
    if (document !== undefined) {
      response.writeHead(200, { "content-type": "application/xml", etag }).end(document);
    } else if (request.method === "PUT") {
      if (upload === undefined) this.#keep(name, request, size);
      else this.#parts.get(upload)?.set(searchParams.get("partNumber") ?? "", size);
      response.writeHead(200, { etag, "content-length": 0 }).end();
    } else this.#look(name, response);
  }

  #look(name: string, response: ServerResponse): void {
    const object = this.#objects.get(name);
    const headers = { ...object?.headers, "content-length": object?.size ?? 0, etag: '"x"' };
    response.writeHead(object === undefined ? 404 : 200, headers).end();
  }

  /** Begins an upload in parts, or ends one. */
  #post(name: string, upload: string | undefined, id: string, request: IncomingMessage): string {
    if (upload === undefined) {
      this.#parts.set(id, new Map());
      this.#keep(name, request, 0);
      return `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`;
    }
    this.#complete(name, upload);
    return `<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>`;
  }

  #list(bucket: string): string {
    const contents = [...this.#objects]
      .filter(([name]) => name.startsWith(`${bucket}/`))
      .map(
        ([name, { size }]) =>
          `<Contents><Key>${name.slice(bucket.length + 1)}</Key><Size>${size}</Size><ETag>"x"</ETag></Contents>`,
      );
    return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`;
  }

  #complete(name: string, upload: string): void {
    const object = this.#objects.get(name);
    const sizes = [...(this.#parts.get(upload)?.values() ?? [])];
    if (object !== undefined) object.size = sizes.reduce((sum, size) => sum + size, 0);
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
