import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { vllmRelease } from "../components/catalogue/vllm-release.ts";
import { UserError } from "../components/user-error.ts";
import { SshError } from "./adapters/ssh-error.ts";
import { callModel, wholeText } from "./adapters/model-api.ts";
import type { Host } from "./adapters/ssh.ts";
import { ensureFolder } from "./connection.ts";
import { engineCommand, type EngineLaunch } from "./engines/engine-command.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { remoteScript } from "./remote/scripts.ts";
import { servedAdapters } from "./served-adapters.ts";
import { putServerSecrets, type SecretWishes } from "./server-secrets.ts";

const script = remoteScript("model-server.sh");
const removal = remoteScript("remove-engines.sh");
/** Loading tens of GB takes minutes; more than this is a failure. */
const usualPatienceSeconds = 1800;
/** A server that was restarted so often does not come up. */
const maxRestarts = 3;

/** What to serve and how. */
export interface ServeInputs
  extends Omit<EngineLaunch, "weights" | "tls" | "tokenFile" | "listenAddress">, SecretWishes {
  /** Listen on all addresses, not on loopback alone. @default false */
  readonly open?: boolean | undefined;
  readonly weightsFolder: string;
  /** Changes with the weights, and so restarts the server. */
  readonly weightsVersion: string;
  /** More arguments for the engine. */
  readonly arguments: readonly string[];
  /** Keep an older release of the engine when the new one has answered. @default false */
  readonly keepOldEngine?: boolean | undefined;
}

/** A server that answers. */
export interface Serving {
  readonly url: string;
  readonly answeredAt: string;
  /** What clients pin, PEM; empty without TLS. */
  readonly certificate: string;
  /** The systemd unit, or the pid file where there is no systemd. */
  readonly unit: string;
}

const completionSchema = z.object({ choices: z.array(z.object({ text: z.string() })).min(1) });
const imageSchema = z.object({ data: z.array(z.object({ b64_json: z.string().min(1) })).min(1) });

/** What has to be known of a server to ask it. */
type Asked = Pick<ServeInputs, "port" | "modelId" | "engine" | "token"> & {
  readonly certificate?: string | undefined;
};

/** The least that a model of each kind can be asked, and what a proper answer is. */
function questionFor({ engine, modelId: model }: Asked) {
  if (engine === "diffusers") {
    const body = { prompt: "a grey square", size: "256x256", num_inference_steps: 1 };
    return { path: "/v1/images/generations", body, answer: imageSchema };
  }
  const body = { model, prompt: "Hello", max_tokens: 4, temperature: 0 };
  return { path: "/v1/completions", body, answer: completionSchema };
}

/** Asks for a real answer through the SSH connection: a few tokens, or a small picture. */
async function ask(host: Host, inputs: Asked, timeoutMs: number): Promise<boolean> {
  const { path, body, answer: schema } = questionFor(inputs);
  const session = await host.session();
  const forward = await session.forward(inputs.port);
  try {
    const { token, certificate } = inputs;
    const call = { path, body: JSON.stringify(body), timeoutMs };
    const answer = await callModel({ port: forward.port, token, certificate }, call);
    const text = await wholeText(answer);
    return answer.statusCode === 200 && schema.safeParse(JSON.parse(text)).success;
  } catch (error) {
    if (error instanceof SshError) throw error;
    return false;
  } finally {
    forward.close();
  }
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
  const weights = await ensureFolder(host, inputs.weightsFolder);
  const adapters = await servedAdapters(host, inputs);
  const secrets = await putServerSecrets(host, folder, inputs);
  const { tls, tokenFile, certificate } = secrets;
  const listenAddress = inputs.open === true ? "0.0.0.0" : "127.0.0.1";
  const launch = { ...inputs, dataFolder, weights, adapters, listenAddress, tls, tokenFile };
  const command = await engineCommand(host, launch);
  const words = [...command, ...inputs.arguments];
  // In the environment of the command, so that other weights, and another certificate, make another command.
  const print = certificate === undefined ? "" : new X509Certificate(certificate).fingerprint256;
  const versions = [
    `BERTH_WEIGHTS=${inputs.weightsVersion}`,
    ...(print === "" ? [] : [`BERTH_TLS=${print}`]),
  ];
  const versioned = ["env", ...versions, ...words];
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
    { inputs: { ...inputs, certificate }, folder, deadline: began + patience * 1000, patience },
    operation,
  );
  operation.log(`the model answered a prompt after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  if (inputs.engine === "vllm" && inputs.keepOldEngine !== true)
    await removeOldEngines(host, dataFolder, operation);
  const scheme = tls === undefined ? "http" : "https";
  const address = inputs.open === true ? host.target.host : "127.0.0.1";
  const url = `${scheme}://${address.includes(":") ? `[${address}]` : address}:${inputs.port}`;
  return { url, answeredAt: new Date().toISOString(), unit, certificate: certificate ?? "" };
}

/** Until now the older release could still have been gone back to. */
async function removeOldEngines(host: Host, folder: string, operation: Operation): Promise<void> {
  const options = { args: [folder, vllmRelease.version], timeoutMs: 300_000 };
  const result = await host.script(removal, options).catch((error: unknown) => {
    return { code: 1, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
  });
  for (const name of result.stdout.split("\n").filter((line) => line !== ""))
    operation.log(`${name} is removed: ${vllmRelease.version} has answered`);
  // The model is served all the same.
  if (result.code !== 0)
    operation.log(`an older engine could not be removed: ${result.stderr.trim()}`, "warning");
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
  readonly inputs: Asked & Pick<ServeInputs, "adapters">;
  readonly folder: string;
  readonly deadline: number;
  readonly patience: number;
}

/** Whether the model answers, and each adapter by its own name: one that cannot be computed with kills the engine then. */
async function answersAll(host: Host, { adapters = [], ...inputs }: Wait["inputs"]) {
  for (const modelId of [inputs.modelId, ...adapters.map(({ name }) => name)]) {
    // A model that computes on a CPU may need a while for its first tokens.
    if (!(await ask(host, { ...inputs, modelId }, 60_000))) return false;
  }
  return true;
}

async function waitForAnswer(host: Host, wait: Wait, operation: Operation): Promise<void> {
  for (let pause = 200, told = Date.now(); ; pause = Math.min(pause * 1.3, 3000)) {
    operation.signal.throwIfAborted();
    if (await answersAll(host, wait.inputs)) return;
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

/** Whether the server answers now. */
export function answersNow(host: Host, inputs: Asked): Promise<boolean> {
  return ask(host, inputs, 60_000);
}

/** Stops the server and removes its unit. */
export async function stopModel(host: Host, dataFolderInput: string): Promise<void> {
  const dataFolder = await ensureFolder(host, dataFolderInput);
  await host.output(script, ["stop", `${dataFolder}/model-server`], 60_000);
}
