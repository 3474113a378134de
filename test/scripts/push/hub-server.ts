import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the store or the hub misbehaves, so many times. */
export interface HubFault {
  readonly kind: "429" | "503" | "reset" | "short" | "stall" | "flip" | "expired" | "whole";
  readonly at: "hub" | "store";
  times: number;
}

const commit = "0123456789abcdef0123456789abcdef01234567";

/** A Hugging Face hub with one model, and a store on another port that large files are redirected to. */
export class HubServer {
  readonly repository = "meta-llama/Tiny";
  readonly commit = commit;
  readonly files = new Map<string, Buffer>();
  faults: HubFault[] = [];
  /** "accept" answers only to this token. */
  gatedFor: string | undefined;
  /** Ids that the hub publishes in place of the true ones. */
  published = new Map<string, string>();
  /** Requests as `hub GET /path` or `store GET /path`. */
  readonly requests: string[] = [];
  /** Every Authorization header that the store was sent. */
  readonly tokensAtStore: string[] = [];
  storeBytes = 0;
  /** Files a page of the tree. */
  pageSize = 3;
  readonly #hub: Server;
  readonly #store: Server;

  constructor() {
    this.#hub = createServer((request, response) => {
      this.#serve("hub", request, response);
    });
    this.#store = createServer((request, response) => {
      this.#serve("store", request, response);
    });
  }

  async start(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#hub.address() as AddressInfo).port}`;
  }

  #serve(at: "hub" | "store", request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://x");
    this.requests.push(`${at} ${request.method ?? ""} ${url.pathname}`);
    const fault = this.faults.find((each) => each.at === at && each.times > 0);
    if (fault !== undefined) {
      fault.times -= 1;
      if (fault.kind === "429") {
        response.writeHead(429, { ratelimit: '"resolvers";r=0;t=0' }).end();
        return;
      }
      if (fault.kind === "503" || fault.kind === "expired") {
        response.writeHead(fault.kind === "503" ? 503 : 403).end();
        return;
      }
      if (fault.kind === "reset") {
        request.socket.destroy();
        return;
      }
    }
    if (at === "hub") this.#answer(url, request, response);
    else {
      const { authorization } = request.headers;
      if (authorization !== undefined) this.tokensAtStore.push(authorization);
      this.#send(decodeURIComponent(url.pathname.slice(1)), request, response, fault);
    }
  }

  #answer(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const json = (value: unknown, headers = {}): void => {
      response.writeHead(200, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(value));
    };
    const path = decodeURIComponent(url.pathname);
    const api = `/api/models/${this.repository}`;
    const model = path.startsWith(`${api}/`) || path.startsWith(`/${this.repository}/`);
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { "x-error-code": code }).end();
    };
    if (!model) refuse(401, "RepoNotFound");
    else if (path === `${api}/revision/main` || path === `${api}/revision/${commit}`) {
      json({
        _id: "1",
        id: this.repository,
        sha: commit,
        private: false,
        gated: this.gatedFor === undefined ? false : "manual",
        downloads: 1,
        likes: 1,
        lastModified: "2026-01-01T00:00:00.000Z",
      });
    } else if (path.startsWith(`${api}/revision/`)) refuse(404, "RevisionNotFound");
    else if (path === `${api}/tree/${commit}`) this.#tree(url, json);
    else {
      const file = path.slice(`/${this.repository}/resolve/${commit}/`.length);
      const { authorization } = request.headers;
      if (this.gatedFor !== undefined && authorization !== `Bearer ${this.gatedFor}`) {
        refuse(authorization === undefined ? 401 : 403, "GatedRepo");
      } else if (!this.files.has(file)) refuse(404, "EntryNotFound");
      else if (!this.#isLarge(file)) this.#send(file, request, response, undefined);
      else {
        const port = (this.#store.address() as AddressInfo).port;
        const location = `http://127.0.0.1:${port}/${encodeURIComponent(file)}?signature=s3cr3t`;
        response.writeHead(302, { location }).end();
      }
    }
  }

  #isLarge(path: string): boolean {
    return path.endsWith(".safetensors");
  }

  #tree(url: URL, json: (value: unknown, headers?: object) => void): void {
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const all = [...this.files];
    const entries = all.slice(start, start + this.pageSize).map(([path, content]) => {
      const blob = createHash("sha1").update(`blob ${content.length}\0`).update(content);
      const oid = this.published.get(path) ?? blob.digest("hex");
      const sha256 = this.published.get(path) ?? createHash("sha256").update(content).digest("hex");
      const lfs = { oid: sha256, size: content.length, pointerSize: 130 };
      const size = content.length;
      return { type: "file", path, size, oid, ...(this.#isLarge(path) ? { lfs } : {}) };
    });
    const next = start + this.pageSize;
    const link = `<${this.endpoint}${url.pathname}?recursive=true&cursor=${next}>; rel="next"`;
    json(entries, next < all.length ? { link } : {});
  }

  #send(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    fault: HubFault | undefined,
  ): void {
    const content = this.files.get(path)!;
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    if (first === undefined || fault?.kind === "whole") {
      response.writeHead(200, { "content-length": content.length, etag: '"x"' }).end(content);
      return;
    }
    const start = Number(first);
    const end = Math.min(Number(last), content.length - 1);
    let body = content.subarray(start, end + 1);
    response.writeHead(206, {
      "content-length": body.length,
      "content-range": `bytes ${start}-${end}/${content.length}`,
      etag: '"x"',
    });
    if (fault?.kind === "flip" && body.length > 1e6) {
      body = Buffer.from(body);
      body[body.length - 1]! ^= 1;
    }
    const part = body.subarray(0, Math.floor(body.length / 2));
    if (fault?.kind === "short" || fault?.kind === "stall") {
      response.write(part, () => {
        if (fault.kind === "short") setTimeout(() => request.socket.destroy(), 20);
      });
      this.storeBytes += part.length;
      return;
    }
    this.storeBytes += body.length;
    response.end(body);
  }
}
