import { counted } from "../../components/counted.ts";
import { UserError } from "../../components/user-error.ts";
import { lastLogLines } from "../../provider/adapters/sagemaker.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { readAsyncQueue } from "../adapters/endpoint/async-queue.ts";
import { readEndpointState, type EndpointState } from "../adapters/endpoint/endpoint-state.ts";
import type { HostState } from "../adapters/host-state.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { runSsh } from "../adapters/ssh.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { costLines, runningCost } from "../stack/cost-lines.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
import { endpointFacts, factLine, servedFacts } from "../stack/endpoint-facts.ts";
import { exitCode } from "../cli/exit-code.ts";
import { statusOfMachine } from "./existing-host.ts";
import { deadlineLayers, openLease } from "./extend.ts";
import { readHosts, stateOfAll } from "../stack/host-serving.ts";
import { openModel } from "../stack/model-of-stack.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { printedOutputs, readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth status`. */
export interface StatusOptions extends StackOptions {
  /** Whether to log in and ask the model server; `--no-probe` leaves it out. */
  readonly probe?: boolean;
}

/** Of a failed endpoint's containers. */
const logLinesShown = 6;

interface Answer {
  readonly answers: boolean | undefined;
  readonly detail: string;
}

/** Asks the model server on the host's own loopback, through SSH. */
async function probeHost(outputs: BerthOutputs, state: string): Promise<Answer> {
  const { url } = outputs;
  if (url === undefined || state !== "running") {
    return { answers: false, detail: `not asked: the host is ${state}` };
  }
  const command = ["curl", "-fsS", "--max-time", "10", `${url.replace(/\/+$/, "")}/health`];
  try {
    const { code, stderr } = await runSsh(sshTarget(outputs), { command, capture: true });
    const detail = code === 0 ? url : (stderr.trim().split("\n").at(-1) ?? `exit ${code}`);
    return { answers: code === 0, detail };
  } catch (error) {
    return { answers: undefined, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Asks the endpoint for one token. */
async function probeEndpoint(
  outputs: BerthOutputs,
  { state, instances, serverless }: EndpointState,
  scope: AccountScope,
): Promise<Answer> {
  if (state !== "InService") {
    return { answers: false, detail: `not asked: the endpoint is ${state}` };
  }
  if (instances === 0 || serverless !== undefined) {
    const what = serverless === undefined ? "an instance" : "a container";
    return { answers: undefined, detail: `not asked: that would start ${what}` };
  }
  const model = await openModel(outputs, scope.client);
  try {
    await model.ask({ prompt: "Hello", maxTokens: 1 });
    return { answers: true, detail: "one token, through the runtime API" };
  } catch (error) {
    return { answers: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    model.close();
  }
}

/** What waits for an asynchronous endpoint; nothing for another. */
async function queueLines(
  scope: AccountScope,
  { asyncUri, endpointName }: BerthOutputs,
  now: Date,
): Promise<readonly string[]> {
  if (asyncUri === undefined || endpointName === undefined) return [];
  try {
    const queue = await readAsyncQueue(scope, endpointName, now);
    if (queue === undefined) return ["queue      not known: no report of the last 5 minutes"];
    const { requests, oldestSeconds, secondsAgo } = queue;
    const oldest =
      requests === 0 || oldestSeconds === undefined ? "" : `, the oldest for ${oldestSeconds} s`;
    return [`queue      ${counted(requests, "request")}${oldest} (${secondsAgo} s ago)`];
  } catch (error) {
    return [`queue      not known: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** What a failed endpoint's containers wrote last. */
async function logLines(
  { client }: AccountScope,
  { endpointName = "" }: BerthOutputs,
  { state }: EndpointState,
): Promise<readonly string[]> {
  if (state !== "Failed") return [];
  const lines = await lastLogLines(`Endpoints/${endpointName}`, client, logLinesShown);
  return lines.map((line) => `log        ${line}`);
}

function answerLine({ answers, detail, of }: NamedAnswer): string {
  const word = answers === undefined ? "not known" : answers ? "yes" : "no";
  const who = of === undefined ? "answers" : `answers ${of}`;
  return `${who.padEnd(10)} ${word} (${detail})`;
}

/** One place that holds the deadline; undefined where it could not be asked. */
interface ArmedLayer {
  readonly name: string;
  readonly expiresAt: string | undefined;
}

/** What each layer that would end the deployment holds; a difference between them is said. */
async function armedLayers(
  options: StackOptions,
  terminal: Terminal,
): Promise<readonly ArmedLayer[]> {
  const leased = await openLease(options);
  const layers = await deadlineLayers(leased);
  const armed = await Promise.all(
    layers.map(async ({ name, read }): Promise<ArmedLayer> => {
      return { name, expiresAt: await read().catch(() => undefined) };
    }),
  );
  const there = armed.filter(({ name }) => !name.endsWith("in the stack's file"));
  const wrong = there.filter(({ expiresAt }) => expiresAt !== leased.lease.expiresAt);
  terminal.say(
    ...(there.length > wrong.length
      ? [`armed      ${there.length - wrong.length} of ${there.length} layers hold that end`]
      : []),
    ...wrong.map(
      ({ name, expiresAt }) => `           ${name}: ${expiresAt ?? "not there, or no answer"}`,
    ),
  );
  return armed;
}

/** What of a stack costs money: hosts or an endpoint, as its account sees it. */
interface Serving {
  /** Of several hosts, that of the one that is worst off. */
  readonly state: HostState | EndpointState;
  readonly lines: readonly string[];
  /** Asks each; the first answer is the first host's. */
  readonly probe: () => Promise<readonly NamedAnswer[]>;
  /** What it is called when it has ended. */
  readonly noun: "host" | "endpoint";
  /** Of several hosts, each. */
  readonly hosts?: readonly object[];
}

/** An answer, and who gave it where there are several. */
type NamedAnswer = Answer & { readonly of?: number };

async function readServing(
  scope: AccountScope,
  outputs: BerthOutputs,
  now: Date,
): Promise<Serving> {
  const { endpointName } = outputs;
  if (endpointName !== undefined) {
    const state = await readEndpointState(scope, endpointName, outputs.inferenceComponent);
    const [served, queue, log] = await Promise.all([
      servedFacts(scope, outputs, state),
      queueLines(scope, outputs, now),
      logLines(scope, outputs, state),
    ]);
    const facts = [...endpointFacts(outputs, state), ...served].map(factLine);
    const lines = [...facts, ...queue, ...log];
    const probe = async () => [await probeEndpoint(outputs, state, scope)];
    return { state, lines, probe, noun: "endpoint" };
  }
  const hosts = await readHosts(scope, outputs);
  const several = outputs.hosts !== undefined;
  const probe = () =>
    Promise.all(
      hosts.map(async ({ host, state: { state } }) => {
        const answer = await probeHost(host, state);
        return several ? { ...answer, of: host.index } : answer;
      }),
    );
  return {
    state: stateOfAll(hosts),
    lines: hosts.map(({ line }) => line),
    probe,
    noun: "host",
    ...(several
      ? {
          hosts: hosts.map(({ host: { index, instanceId }, state }) => ({
            index,
            instanceId,
            ...state,
          })),
        }
      : {}),
  };
}

/** What can be done with a host or an endpoint that is not there; nothing while it is. */
function nextLines(
  { state: { state }, noun }: Serving,
  { expiresAt = "" }: BerthOutputs,
  { env, now }: { readonly env: string; readonly now: Date },
): readonly string[] {
  if (state !== "gone" && state !== "terminated") return [];
  const down = `npm run berth -- down --env ${env}`;
  const leased = expiresAt === "" || Date.parse(expiresAt) > now.getTime();
  if (!leased) return [`next       the ${noun} has ended; remove the rest with: ${down}`];
  const again = noun === "endpoint" ? "start it again" : "bring another up";
  const command = noun === "endpoint" ? "start" : "up";
  return [
    `next       ${again}: npm run berth -- ${command} --env ${env}; or remove the rest: ${down}`,
  ];
}

async function outputsOf(options: StackOptions): Promise<BerthOutputs> {
  const opened = await findDeployment(options, cloudOf(options.env));
  return opened === undefined ? {} : readOutputs(await opened.stack.outputs());
}

/** `berth status`: host or endpoint, answer, cost so far and time left, from the stack's outputs and the account. */
export async function runStatus(options: StatusOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  const cloud = cloudOf(env);
  const outputs = await outputsOf(options);
  const { instanceId, endpointName, plan, machineId } = outputs;
  if (machineId !== undefined)
    return statusOfMachine({ env, outputs, asks: options.probe }, terminal);
  if (instanceId === undefined && endpointName === undefined) {
    const trains = outputs.trainingJob !== undefined;
    throw new UserError(`"${env}" has no host and no endpoint.`, {
      hint: trains
        ? `It is a training job; ask with: npm run berth -- train status <folder> --env ${env.replace(/-train-.*$/, "")}`
        : `Make one with: npm run berth -- up --env ${env}`,
    });
  }
  const now = await readClock(cloud);
  const serving = await readServing(accountOf(env, regionOfStack(env), cloud), outputs, now);
  const { probe: asks = true } = options;
  const answers = asks ? await serving.probe() : [];
  terminal.say(`model      ${plan?.modelId ?? "?"} for ${outputs.owner ?? "?"}`, ...serving.lines);
  terminal.say(...answers.map(answerLine));
  terminal.say(...costLines(outputs, now));
  terminal.say(...nextLines(serving, outputs, { env, now }));
  const armed = asks ? await armedLayers(options, terminal) : [];
  const cost = runningCost(outputs, now) ?? null;
  const { hosts } = serving;
  const told = {
    [serving.noun]: serving.state,
    ...(hosts === undefined ? {} : { hosts, answers }),
  };
  terminal.result({
    env,
    ...told,
    answer: answers[0] ?? null,
    cost,
    armed,
    outputs: printedOutputs(outputs),
  });
  return exitCode.ok;
}
