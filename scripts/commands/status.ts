import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import {
  readComponentStates,
  readEndpointState,
  type EndpointState,
} from "../adapters/endpoint/endpoint-state.ts";
import type { HostState } from "../adapters/host-state.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { runSsh } from "../adapters/ssh.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { componentLines } from "../stack/component-lines.ts";
import { costLines, runningCost } from "../stack/cost-lines.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
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

function endpointLine(outputs: BerthOutputs, endpoint: EndpointState): string {
  const { instanceType = "?", endpointName = "?" } = outputs;
  const { state, why, instances, serverless } = endpoint;
  const more = why === undefined ? "" : ` (${why})`;
  if (serverless !== undefined) {
    const { memoryMiB, concurrency } = serverless;
    return `endpoint   ${state}${more}: ${endpointName}, serverless, ${concurrency} at once with ${memoryMiB} MiB each`;
  }
  const count = instances === undefined ? "" : `${instances} x `;
  return `endpoint   ${state}${more}: ${endpointName} on ${count}${instanceType}`;
}

/** Each of several variants with its share of the requests, or each of several models with its copies. */
async function servedLines(
  scope: AccountScope,
  outputs: BerthOutputs,
  { variants = [], allInstances: instances = 0 }: EndpointState,
): Promise<readonly string[]> {
  const { served = [] } = outputs;
  const names = served.flatMap(({ component }) => component ?? []);
  if (names.length > 0) {
    return componentLines({ outputs, states: await readComponentStates(scope, names), instances });
  }
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  return served.map(({ modelId, variant }) => {
    const { weight = 0, instances = 0 } = variants.find(({ name }) => name === variant) ?? {};
    const share = total === 0 ? 0 : Math.round((100 * weight) / total);
    return `variant    ${variant ?? "?"}: ${share} % of the requests, ${modelId} on ${instances} instance${instances === 1 ? "" : "s"}`;
  });
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

async function readServing(scope: AccountScope, outputs: BerthOutputs): Promise<Serving> {
  const { endpointName } = outputs;
  if (endpointName !== undefined) {
    const state = await readEndpointState(scope, endpointName, outputs.inferenceComponent);
    const further = await servedLines(scope, outputs, state);
    const lines = [endpointLine(outputs, state), ...further];
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
  const serving = await readServing(accountOf(env, regionOfStack(env), cloud), outputs);
  const { probe: asks = true } = options;
  const answers = asks ? await serving.probe() : [];
  const now = await readClock(cloud);
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
