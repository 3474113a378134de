import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  contentPolicy,
  dashboardMain,
  dashboardTitle,
  livePage,
} from "../../components/dashboard-page/dashboard-page.ts";
import { UserError } from "../../components/user-error.ts";
import type { Dashboard } from "./dashboard.ts";

/** What is served, and where. */
export interface ServerOptions {
  readonly dashboard: Pick<Dashboard, "refresh" | "view" | "revision">;
  /** The page's own script. */
  readonly script: string;
  /** Of loopback; 0 takes any free one. */
  readonly port: number;
}

/** A dashboard that is served. */
export interface DashboardServer {
  /** With the key behind the `#`, which a browser sends to nobody. */
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

/** Why a request is not answered at all; undefined when it may be. */
function refusal({ method, headers }: IncomingMessage, port: number): Reply | undefined {
  // A name that an attacker points at 127.0.0.1 comes with its own Host.
  const names = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host = "", origin } = headers;
  if (!names.includes(host)) return plain(403, "This host is not served here.");
  if (origin !== undefined && !names.some((name) => origin === `http://${name}`)) {
    return plain(403, "Other pages are not answered.");
  }
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return plain(403, "Other pages are not answered.");
  }
  if (method !== "GET" && method !== "HEAD") return plain(405, "It only reads.");
  return undefined;
}

function plain(status: number, body: string): Reply {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function hasKey({ headers }: IncomingMessage, key: Buffer): boolean {
  const [, token = ""] = /^Bearer (\S+)$/.exec(headers.authorization ?? "") ?? [];
  return timingSafeEqual(digest(token), key);
}

/** What has been read since a revision; the question itself makes the dashboard ask what is due. */
function viewReply(dashboard: ServerOptions["dashboard"], after: string | null): Reply {
  void dashboard.refresh();
  const { revision } = dashboard;
  if (after === String(revision)) return { status: 204 };
  const { view } = dashboard;
  const body = { revision, title: dashboardTitle(view), html: dashboardMain(view).markup };
  return { status: 200, type: "application/json", body: JSON.stringify(body) };
}

function headersFor(policy: string): Record<string, string> {
  return {
    "Content-Security-Policy": `${policy}; frame-ancestors 'none'`,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      const message = taken ? `Port ${port} is taken.` : `Port ${port} cannot be listened on.`;
      reject(new UserError(message, { hint: "Leave --port out: a free one is found.", cause }));
    });
    server.listen(port, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Serves a dashboard on loopback. The page itself holds nothing; what it shows is given only to who has the key.
 *
 * @throws UserError when the port is taken
 */
export async function startServer(options: ServerOptions): Promise<DashboardServer> {
  const { dashboard, script } = options;
  const token = randomBytes(32).toString("base64url");
  const key = digest(token);
  const page = livePage(script);
  const always = headersFor(contentPolicy(script));
  let port = options.port;

  const answer = (request: IncomingMessage): Reply => {
    const refused = refusal(request, port);
    if (refused !== undefined) return refused;
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (pathname === "/") return { status: 200, type: "text/html; charset=utf-8", body: page };
    if (pathname !== "/view") return plain(404, "There is nothing here.");
    if (!hasKey(request, key)) return plain(401, "The key is missing or wrong.");
    return viewReply(dashboard, searchParams.get("after"));
  };
  const server = createServer((request, response) => {
    let reply: Reply;
    try {
      reply = answer(request);
    } catch (error) {
      reply = plain(500, error instanceof Error ? error.message : String(error));
    }
    const { status, type, body = "" } = reply;
    response.writeHead(status, {
      ...always,
      ...(type === undefined ? {} : { "Content-Type": type }),
    });
    response.end(request.method === "HEAD" ? "" : body);
  });
  port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}/#${token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
