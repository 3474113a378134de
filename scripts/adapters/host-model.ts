import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { callModel, wholeText, type ModelApi } from "../../provider/adapters/model-api.ts";
import { SshSession } from "../../provider/adapters/ssh-session.ts";
import { sshCredentials } from "../../provider/adapters/ssh-credentials.ts";
import { readAnswer, serverSentEvents, type Answer } from "../invoke/answer.ts";
import type { ModelClient } from "../invoke/model-client.ts";
import { requestBody, type Question } from "../invoke/question.ts";
import type { SshTarget } from "./ssh.ts";

/** How long a whole answer may take. */
const patienceMs = 600_000;

interface HostModel {
  readonly target: SshTarget;
  /** The server's address; its port is taken. */
  readonly url: string;
  /** @default the server asks for none */
  readonly token?: string | undefined;
  /** The server's certificate, PEM; empty or none for plain HTTP. */
  readonly certificate?: string | undefined;
  /** The model or the adapter that is asked. @default the model */
  readonly model?: string | undefined;
}

async function post(api: ModelApi, path: string, body: string): Promise<IncomingMessage> {
  const answer = await callModel(api, { path, body, timeoutMs: patienceMs });
  if (answer.statusCode === 200) return answer;
  throw new Error(
    `the model server answered ${answer.statusCode ?? "?"}: ${await wholeText(answer)}`,
  );
}

const imageSchema = z.object({ data: z.array(z.object({ b64_json: z.string() })).min(1) });

/** The model of a host, which may be one of images. */
export interface HostModelClient extends ModelClient {
  /** A picture, PNG. */
  picture(prompt: string): Promise<Buffer>;
}

/** The model server of a host, through SSH with the host's key pinned; with TLS its certificate is pinned too. */
export async function openHostModel(model: HostModel): Promise<HostModelClient> {
  const { target, url, token, certificate = "", model: name } = model;
  const { address, port, user, hostKey, through } = target;
  const endpoint = { host: address, port, user, hostKeys: [hostKey], through };
  const session = await SshSession.connect(endpoint, await sshCredentials());
  const forward = await session.forward(Number(new URL(url).port));
  const api = { port: forward.port, token, certificate: certificate || undefined };
  const complete = (question: Question, stream: boolean) =>
    post(api, "/v1/completions", requestBody({ ...question, model: name }, "completion", stream));
  return {
    ask: async (question) => readAnswer(await wholeText(await complete(question, false))),
    picture: async (prompt) => {
      const body = JSON.stringify({ prompt, response_format: "b64_json" });
      const answer = await wholeText(await post(api, "/v1/images/generations", body));
      const { data } = imageSchema.parse(JSON.parse(answer));
      return Buffer.from(data[0]?.b64_json ?? "", "base64");
    },
    stream: async function* (question): AsyncGenerator<Answer> {
      const pieces: AsyncIterable<Uint8Array> = await complete(question, true);
      for await (const data of serverSentEvents(pieces)) yield readAnswer(data);
    },
    close: () => {
      forward.close();
      session.close();
    },
  };
}
