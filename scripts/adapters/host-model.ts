import { z } from "zod";
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
  /** The server's address on the host's loopback. */
  readonly url: string;
}

async function post(port: number, path: string, body: string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(patienceMs),
  });
  if (answer.ok) return answer;
  throw new Error(`the model server answered ${answer.status}: ${await answer.text()}`);
}

const imageSchema = z.object({ data: z.array(z.object({ b64_json: z.string() })).min(1) });

/** The model of a host, which may be one of images. */
export interface HostModelClient extends ModelClient {
  /** A picture, PNG. */
  picture(prompt: string): Promise<Buffer>;
}

/** The model server of a GPU host, through SSH with the host's key pinned: its port is open to nobody else. */
export async function openHostModel({ target, url }: HostModel): Promise<HostModelClient> {
  const { address, port, user, hostKey } = target;
  const endpoint = { host: address, port, user, hostKeys: [hostKey] };
  const session = await SshSession.connect(endpoint, await sshCredentials());
  const forward = await session.forward(Number(new URL(url).port));
  const complete = (question: Question, stream: boolean) =>
    post(forward.port, "/v1/completions", requestBody(question, "completion", stream));
  return {
    ask: async (question) => readAnswer(await (await complete(question, false)).text()),
    picture: async (prompt) => {
      const answer = await post(
        forward.port,
        "/v1/images/generations",
        JSON.stringify({ prompt, response_format: "b64_json" }),
      );
      return Buffer.from(imageSchema.parse(await answer.json()).data[0]?.b64_json ?? "", "base64");
    },
    stream: async function* (question): AsyncGenerator<Answer> {
      const { body } = await complete(question, true);
      if (body === null) return;
      for await (const data of serverSentEvents(body)) yield readAnswer(data);
    },
    close: () => {
      forward.close();
      session.close();
    },
  };
}
