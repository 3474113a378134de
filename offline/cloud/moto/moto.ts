import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request, Agent } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { OfflineError } from "../../offline-error.ts";
import { motoPython } from "./environment.ts";

/** moto's server as the proxy sees it. */
export interface Moto {
  readonly port: number;
  readonly pid: number;
  /** Asks one of the questions of `questions.py` about moto's state; throws what the answer calls an error. */
  ask<T>(question: string, body?: object): Promise<T>;
  stop(): Promise<void>;
}

/** An answer of `ask` that is an API error. */
export class MotoRefusal extends Error {
  override readonly name: string = "MotoRefusal";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const startSeconds = 60;
const agent = new Agent({ maxSockets: 16 });

function postJson(
  port: number,
  path: string,
  body: object,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const data = JSON.stringify(body);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(data),
    };
    const call = request(
      { host: "127.0.0.1", port, path, method: "POST", headers, agent },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
        answer.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(data);
  });
}

async function portOf(child: ChildProcess, complaints: () => string): Promise<number> {
  if (child.stdout === null) throw new Error("moto has no standard output");
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill("SIGKILL"), startSeconds * 1000);
  try {
    for await (const line of lines) {
      if (line.startsWith("{")) return (JSON.parse(line) as { port: number }).port;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new OfflineError(
    `moto did not start:\n${complaints()}`,
    "Remove the berth folder in ~/.cache and try again.",
  );
}

/** Starts moto on a free loopback port; it ends with this process, however that ends. */
export async function startMoto(
  options: { proxyPort: number; machines: boolean },
  log: (line: string) => void,
): Promise<Moto> {
  const python = await motoPython(log);
  const errors: string[] = [];
  const child = spawn(
    python,
    ["-X", "frozen_modules=on", join(import.meta.dirname, "serve.py"), String(options.proxyPort)],
    {
      stdio: ["pipe", "pipe", "pipe"],
      // A terminal's Ctrl-C is for the owner, which stops moto in its turn; moto ends by itself when its input does.
      detached: true,
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        PYTHONDONTWRITEBYTECODE: "1",
        AWS_ACCESS_KEY_ID: "emulated",
        AWS_SECRET_ACCESS_KEY: "emulated",
        AWS_EC2_METADATA_DISABLED: "true",
        NO_PROXY: "*",
        BERTH_MACHINES: options.machines ? "1" : "0",
      },
    },
  );
  child.stdin.on("error", () => undefined);
  child.stderr.on("data", (chunk: Buffer) => {
    errors.push(chunk.toString());
    if (errors.length > 200) errors.shift();
  });
  const ended = once(child, "exit");
  const port = await portOf(child, () => errors.join("").split("\n").slice(-12).join("\n"));
  // Unread output would fill the pipe and stop moto.
  child.stdout.resume();
  await postJson(port, "/moto-api/config", { stepfunctions: { execute_state_machine: true } });
  return {
    port,
    pid: child.pid ?? 0,
    ask: async <T>(question: string, body: object = {}) => {
      const answer = await postJson(port, `/_berth/${question}`, body);
      const value = JSON.parse(answer.text) as T & { code?: string; error?: string };
      if (answer.status !== 200) {
        throw new MotoRefusal(value.code ?? "InternalFailure", value.error ?? answer.text);
      }
      return value;
    },
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 2000);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(timer);
    },
  };
}
