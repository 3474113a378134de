import * as http from "node:http";
import * as https from "node:https";
import type { RequestForm } from "../invoke/question.ts";
import type { LoadRequest, LoadTarget } from "./load-target.ts";
import { failureOfStatus, RequestFailure } from "./request-failure.ts";

/** A server that speaks OpenAI's API, and how it is asked. */
export interface HttpModel {
  /** With the version, such as `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** Undefined where the server has one alone, and is not told. */
  readonly model: string | undefined;
  readonly form: RequestForm;
  /** Sent as a bearer token. */
  readonly token: string | undefined;
  /** Asks for answers of the full length, which vLLM and llama.cpp know. */
  readonly ignoreEos: boolean;
}

/** Of an error's body so much is kept. */
const longestComplaint = 2048;

/** The body of a request whose answer is streamed and counted. */
export function loadBody(
  { prompt, answerTokens }: LoadRequest,
  asked: Omit<HttpModel, "baseUrl" | "token">,
): string {
  const { form, model, ignoreEos } = asked;
  return JSON.stringify({
    model,
    ...(form === "completion" ? { prompt } : { messages: [{ role: "user", content: prompt }] }),
    max_tokens: answerTokens,
    stream: true,
    stream_options: { include_usage: true },
    ...(ignoreEos ? { ignore_eos: true } : {}),
  });
}

function refuse(response: http.IncomingMessage, reject: (failure: RequestFailure) => void): void {
  let body = "";
  const { statusCode = 0, headers } = response;
  response.setEncoding("utf8");
  response.on("data", (piece: string) => {
    if (body.length < longestComplaint) body += piece;
  });
  const end = (): void => {
    reject(failureOfStatus(statusCode, body, headers["retry-after"]));
  };
  response.on("end", end).on("error", end);
}

interface Call {
  readonly url: URL;
  readonly options: https.RequestOptions;
  readonly body: string;
  readonly heard: (piece: Uint8Array) => void;
}

/** One POST. A connection that the server closed just as it was used again is tried once more, on a new one. */
function post(call: Call, again = true): Promise<void> {
  const { url, options, body, heard } = call;
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    let answered = false;
    const sent = request(url, options, (response) => {
      answered = true;
      if (response.statusCode !== 200) {
        refuse(response, reject);
        return;
      }
      response.on("data", (piece: Buffer) => {
        try {
          heard(piece);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          sent.destroy();
        }
      });
      response.on("end", resolve);
      response.on("error", ({ message }) => {
        reject(new RequestFailure("cut", `the connection broke in the answer: ${message}`));
      });
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (again && !answered && sent.reusedSocket && error.code === "ECONNRESET") {
        post(call, false).then(resolve, reject);
      } else reject(new RequestFailure("unreachable", error.message));
    });
    sent.end(body);
  });
}

/** The names of the models that a server serves. */
export async function listModels(baseUrl: string, token: string | undefined): Promise<string[]> {
  const answer = await fetch(`${baseUrl}/models`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    redirect: "error",
    signal: AbortSignal.timeout(15_000),
  });
  if (!answer.ok) throw failureOfStatus(answer.status, await answer.text());
  const { data } = (await answer.json()) as { data?: readonly { id?: unknown }[] };
  return (data ?? []).flatMap(({ id }) => (typeof id === "string" ? [id] : []));
}

/** A server that speaks OpenAI's API. Connections are kept, and as many as are needed are open at once. */
export function openHttpTarget(asked: HttpModel): LoadTarget {
  const path = asked.form === "completion" ? "completions" : "chat/completions";
  const url = new URL(`${asked.baseUrl}/${path}`);
  const { Agent } = url.protocol === "https:" ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const headers = {
    "content-type": "application/json",
    accept: "text/event-stream",
    ...(asked.token === undefined ? {} : { authorization: `Bearer ${asked.token}` }),
  };
  return {
    send: (request, heard, signal) => {
      const body = loadBody(request, asked);
      const length = { "content-length": Buffer.byteLength(body) };
      const options = { method: "POST", agent, signal, headers: { ...headers, ...length } };
      return post({ url, options, body, heard });
    },
    close: () => {
      agent.destroy();
    },
  };
}
