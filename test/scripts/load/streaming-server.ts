import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What was asked, as the server understood it. */
export interface AskedBody {
  readonly prompt?: string;
  readonly messages?: readonly { readonly content: string }[];
  readonly max_tokens: number;
  readonly ignore_eos?: boolean;
  readonly model?: string;
}

/** How one request is answered. */
export interface Behaviour {
  readonly firstTokenMs?: number;
  readonly tokenMs?: number;
  /** Tokens of the answer. @default what was asked for */
  readonly tokens?: number;
  /** Whether the usage is told. @default true */
  readonly usage?: boolean;
  /** An answer of another kind altogether. */
  readonly instead?: (response: ServerResponse, request: IncomingMessage) => void;
  /** What happens after so many tokens; `write` is the last that is sent. */
  readonly after?: {
    readonly tokens: number;
    readonly then: "reset" | "end" | "stall" | { readonly write: string };
  };
}

/** A server of OpenAI's API that does as it is told, over real HTTP. */
export interface StreamingServer {
  readonly baseUrl: string;
  readonly asked: AskedBody[];
  readonly headers: IncomingMessage["headers"][];
  /** The most that were under way at once. */
  most: number;
  stop(): Promise<void>;
}

const event = (body: object): string => `data: ${JSON.stringify(body)}\n\n`;

function breakOff(response: ServerResponse, then: NonNullable<Behaviour["after"]>["then"]): void {
  if (then === "stall") return;
  if (then === "reset") response.destroy();
  else response.end(then === "end" ? "" : then.write);
}

function finish(response: ServerResponse, body: AskedBody, { tokens, usage = true }: Behaviour) {
  const words = (body.prompt ?? body.messages?.[0]?.content ?? "").split(" ").length;
  response.write(event({ choices: [{ index: 0, text: "", finish_reason: "length" }] }));
  if (usage) {
    const counts = { prompt_tokens: words * 2, completion_tokens: tokens ?? body.max_tokens };
    response.write(event({ choices: [], usage: counts }));
  }
  response.end("data: [DONE]\n\n");
}

async function streamTokens(response: ServerResponse, body: AskedBody, how: Behaviour) {
  const { firstTokenMs = 0, tokenMs = 0, tokens = body.max_tokens, after } = how;
  const chat = body.messages !== undefined;
  const part = event({
    choices: [chat ? { index: 0, delta: { content: " word" } } : { index: 0, text: " word" }],
  });
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  const began = performance.now();
  for (let made = 0; made < tokens; made += 1) {
    if (after?.tokens === made) {
      breakOff(response, after.then);
      return;
    }
    const waitMs = firstTokenMs + made * tokenMs - (performance.now() - began);
    if (waitMs > 0) await sleep(waitMs);
    if (response.destroyed) return;
    response.write(part);
  }
  finish(response, body, how);
}

/** Starts one; `behave` is asked with the number of each request, from 0. */
export async function startStreamingServer(
  behave: (number: number, body: AskedBody) => Behaviour,
  models: readonly string[] = ["tiny"],
): Promise<StreamingServer> {
  let underWay = 0;
  const found = { asked: [] as AskedBody[], headers: [] as IncomingMessage["headers"][], most: 0 };
  const server = createServer((request, response) => {
    if (request.url?.endsWith("/models") === true) {
      response.end(JSON.stringify({ data: models.map((id) => ({ id })) }));
      return;
    }
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      const body = JSON.parse(text) as AskedBody;
      const how = behave(found.asked.length, body);
      found.asked.push(body);
      found.headers.push(request.headers);
      underWay += 1;
      found.most = Math.max(found.most, underWay);
      response.on("close", () => (underWay -= 1));
      if (how.instead === undefined) void streamTokens(response, body, how);
      else how.instead(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(found, {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
