import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../components/user-error.ts";
import { SshError } from "./adapters/ssh-error.ts";
import type { Host } from "./adapters/ssh.ts";
import { vllmVersion } from "./bootstrap-host.ts";
import { ensureFolder } from "./connection.ts";
import { ensureNode } from "./ensure-node.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { remoteScript } from "./remote/scripts.ts";

const script = remoteScript("model-server.sh");
/** Loading tens of GB takes minutes; more than this is a failure. */
const usualPatienceSeconds = 1800;
/** A server that was restarted so often does not come up. */
const maxRestarts = 3;

/** What to serve and how. */
export interface ServeInputs {
  readonly engine: "llama.cpp" | "vllm";
  readonly modelId: string;
  readonly weightsFolder: string;
  readonly dataFolder: string;
  /** On the host's loopback. */
  readonly port: number;
  readonly contextTokens: number;
  readonly tensorParallel: number;
  /** Changes with the weights, and so restarts the server. */
  readonly weightsVersion: string;
  /** More arguments for the engine. */
  readonly arguments: readonly string[];
}

/** A server that answers. */
export interface Serving {
  readonly url: string;
  readonly answeredAt: string;
  /** The systemd unit, or the pid file where there is no systemd. */
  readonly unit: string;
}

const completionSchema = z.object({ choices: z.array(z.object({ text: z.string() })).min(1) });

/** Asks for a few tokens through the SSH connection; undefined when there is no proper answer. */
async function ask(
  host: Host,
  inputs: Pick<ServeInputs, "port" | "modelId">,
  timeoutMs: number,
): Promise<string | undefined> {
  const session = await host.session();
  const forward = await session.forward(inputs.port);
  try {
    const answer = await fetch(`http://127.0.0.1:${String(forward.port)}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({
        model: inputs.modelId,
        prompt: "Hello",
        max_tokens: 4,
        temperature: 0,
      }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const parsed = completionSchema.safeParse(await answer.json());
    return answer.ok ? parsed.data?.choices[0]?.text : undefined;
  } catch (error) {
    if (error instanceof SshError) throw error;
    return undefined;
  } finally {
    forward.close();
  }
}

async function command(
  host: Host,
  inputs: ServeInputs,
  dataFolder: string,
): Promise<readonly string[]> {
  const weights = await ensureFolder(host, inputs.weightsFolder);
  const { port, modelId, contextTokens } = inputs;
  if (inputs.engine === "vllm") {
    return [
      `${dataFolder}/engines/vllm-${vllmVersion}/bin/vllm`,
      "serve",
      weights,
      ...["--host", "127.0.0.1", "--port", String(port), "--served-model-name", modelId],
      ...[
        "--max-model-len",
        String(contextTokens),
        "--tensor-parallel-size",
        String(inputs.tensorParallel),
      ],
      ...inputs.arguments,
    ];
  }
  const node = await ensureNode(host, dataFolder);
  const flags = [
    "--model",
    weights,
    "--id",
    modelId,
    "--port",
    String(port),
    "--context",
    String(contextTokens),
  ];
  return [
    node.path,
    `${dataFolder}/engines/llama-server/server.mjs`,
    ...flags,
    ...inputs.arguments,
  ];
}

/**
 * Starts the model server and waits until it answers a prompt. One that runs already with the same command and the same
 * weights is left alone.
 *
 * @throws UserError when the port is taken, or the server ends or does not answer in time, with its last lines
 */
export async function serveModel(
  host: Host,
  inputs: ServeInputs,
  operation: Operation,
): Promise<Serving> {
  const dataFolder = await ensureFolder(host, inputs.dataFolder);
  const folder = `${dataFolder}/model-server`;
  const words = await command(host, inputs, dataFolder);
  // In the environment of the command, so that other weights make another command.
  const versioned = ["env", `BERTH_WEIGHTS=${inputs.weightsVersion}`, ...words];
  const args = ["start", folder, String(inputs.port), ...versioned];
  const result = await host.script(script, { args, timeoutMs: 120_000 });
  if (result.code !== 0) throw startError(result.stderr.trim(), host);
  const [state, unit = ""] = result.stdout.trim().split(" ");
  operation.log(
    state === "running" ? "the server runs already" : `the server is started (${unit})`,
  );
  const patience = operation.timeoutSeconds > 0 ? operation.timeoutSeconds : usualPatienceSeconds;
  const began = Date.now();
  await waitForAnswer(
    host,
    { inputs, folder, deadline: began + patience * 1000, patience },
    operation,
  );
  operation.log(`the model answered a prompt after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const url = `http://127.0.0.1:${String(inputs.port)}`;
  return { url, answeredAt: new Date().toISOString(), unit };
}

function startError(stderr: string, host: Host): UserError {
  const port = /E_PORT (.*)/.exec(stderr)?.[1];
  if (port !== undefined) {
    return new UserError(`the model server cannot start: ${port} (E_PORT)`, {
      hint: "Choose another port with `serverPort`, or stop what holds it.",
    });
  }
  return new UserError(
    `the model server could not be started on ${host.name}: ${stderr.split("\n").slice(-4).join(" ")}`,
  );
}

interface Wait {
  readonly inputs: ServeInputs;
  readonly folder: string;
  readonly deadline: number;
  readonly patience: number;
}

async function waitForAnswer(host: Host, wait: Wait, operation: Operation): Promise<void> {
  for (let pause = 200, told = Date.now(); ; pause = Math.min(pause * 1.3, 3000)) {
    operation.signal.throwIfAborted();
    // A model that computes on a CPU may need a while for its first tokens.
    if ((await ask(host, wait.inputs, 60_000)) !== undefined) return;
    const status = (await host.output(script, ["status", wait.folder])).trim();
    if (status === "stopped") throw await notServing(host, wait, "the model server ended");
    const restarts = Number(/^starting (\d+)/.exec(status)?.[1] ?? 0);
    if (restarts >= maxRestarts)
      throw await notServing(host, wait, `the model server ended ${restarts} times`);
    if (Date.now() > wait.deadline) {
      throw await notServing(
        host,
        wait,
        `the model server did not answer within ${wait.patience} s`,
      );
    }
    if (Date.now() - told > 15_000) {
      told = Date.now();
      operation.log("the server is loading the model");
    }
    await sleep(pause);
  }
}

async function notServing(host: Host, { folder }: Wait, message: string): Promise<UserError> {
  const log = await host.output(script, ["log", folder]).catch(() => "");
  const lines = log
    .trim()
    .split("\n")
    .slice(-12)
    .map((line) => `    ${line}`);
  return new UserError(`${message} on ${host.name}`, {
    problems: [`its last words:\n${lines.join("\n")}`],
    hint: "When memory ran out, choose a smaller context or a larger instance type.",
  });
}

/** Whether the server answers a prompt now. */
export async function answersNow(
  host: Host,
  inputs: Pick<ServeInputs, "port" | "modelId">,
): Promise<boolean> {
  return (await ask(host, inputs, 60_000)) !== undefined;
}

/** Stops the server and removes its unit. */
export async function stopModel(host: Host, dataFolderInput: string): Promise<void> {
  const dataFolder = await ensureFolder(host, dataFolderInput);
  await host.output(script, ["stop", `${dataFolder}/model-server`], 60_000);
}
