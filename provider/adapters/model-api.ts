import { X509Certificate } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** How a model server is asked, through a port of this machine's loopback that leads to it. */
export interface ModelApi {
  readonly port: number;
  /** Sent as a bearer token. @default the server asks for none */
  readonly token?: string | undefined;
  /** The server's certificate, PEM: with it the way is TLS, and no other certificate is believed. @default no TLS */
  readonly certificate?: string | undefined;
}

/** One question in OpenAI's form. */
export interface ModelCall {
  readonly path: string;
  /** JSON. */
  readonly body: string;
  readonly timeoutMs: number;
}

function connected(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve).once("error", reject);
  });
}

/** A connection to the server that the certificate belongs to: the certificate itself is pinned, as a host key is. */
async function openSecure(port: number, pinned: string): Promise<Socket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await connected(socket, "secureConnect");
  if (socket.getPeerCertificate().raw.equals(new X509Certificate(pinned).raw)) return socket;
  socket.destroy();
  throw new Error(
    "the model server shows another certificate than the pinned one; nothing was sent to it",
  );
}

async function openPlain(port: number): Promise<Socket> {
  const socket = connectPlain({ port, host: "127.0.0.1" });
  await connected(socket, "connect");
  return socket;
}

/** Asks, and gives the answer as soon as it begins. */
export async function callModel(api: ModelApi, call: ModelCall): Promise<IncomingMessage> {
  const { port, token, certificate } = api;
  const socket = await (certificate === undefined
    ? openPlain(port)
    : openSecure(port, certificate));
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(call.body),
    connection: "close",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method: "POST",
      path: call.path,
      headers,
      signal: AbortSignal.timeout(call.timeoutMs),
    });
    asked.once("response", resolve).once("error", reject);
    asked.end(call.body);
  });
}

/** All of an answer, as text. */
export async function wholeText(answer: IncomingMessage): Promise<string> {
  let text = "";
  answer.setEncoding("utf8");
  for await (const piece of answer) text += String(piece);
  return text;
}
