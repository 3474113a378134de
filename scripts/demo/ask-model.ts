import { SshSession } from "../../provider/adapters/ssh-session.ts";
import type { BerthOutputs } from "../stack-outputs.ts";

/** What the model said. */
export interface ModelAnswer {
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number;
}

interface Completion {
  readonly choices?: readonly { readonly text: string }[];
  readonly usage?: { readonly completion_tokens: number };
}

/** Asks the model on the host, through SSH with the host's key pinned: its port is open to nobody else. */
export async function askModel(outputs: BerthOutputs, prompt: string): Promise<ModelAnswer> {
  const { address = "", sshPort = 22, user = "", hostKey = "", url = "" } = outputs;
  const privateKey = process.env["BERTH_SSH_PRIVATE_KEY"] ?? "";
  const endpoint = { host: address, port: sshPort, user, hostKeys: [hostKey] };
  const session = await SshSession.connect(endpoint, { privateKey });
  const forward = await session.forward(Number(new URL(url).port));
  try {
    const answer = await fetch(`http://127.0.0.1:${forward.port}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ prompt, max_tokens: 16 }),
      signal: AbortSignal.timeout(60_000),
    });
    const body = (await answer.json()) as Completion;
    const text = body.choices?.[0]?.text;
    if (text === undefined) throw new Error(`the model answered ${answer.status} without a text`);
    return { prompt, text, tokens: body.usage?.completion_tokens ?? 0 };
  } finally {
    forward.close();
    session.close();
  }
}
