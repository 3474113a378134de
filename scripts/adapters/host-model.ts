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

async function post(port: number, question: Question, stream: boolean): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: requestBody(question, "completion", stream),
    signal: AbortSignal.timeout(patienceMs),
  });
  if (answer.ok) return answer;
  throw new Error(`the model server answered ${answer.status}: ${await answer.text()}`);
}

/** The model server of a GPU host, through SSH with the host's key pinned: its port is open to nobody else. */
export async function openHostModel({ target, url }: HostModel): Promise<ModelClient> {
  const { address, port, user, hostKey } = target;
  const endpoint = { host: address, port, user, hostKeys: [hostKey] };
  const session = await SshSession.connect(endpoint, await sshCredentials());
  const forward = await session.forward(Number(new URL(url).port));
  return {
    ask: async (question) => readAnswer(await (await post(forward.port, question, false)).text()),
    stream: async function* (question): AsyncGenerator<Answer> {
      const { body } = await post(forward.port, question, true);
      if (body === null) return;
      for await (const data of serverSentEvents(body)) yield readAnswer(data);
    },
    close: () => {
      forward.close();
      session.close();
    },
  };
}
