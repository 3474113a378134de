import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { readHostState, type HostState } from "../adapters/host-state.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { runSsh } from "../adapters/ssh.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { costLines, runningCost } from "../cost-lines.ts";
import { findDeployment, type StackOptions } from "../deployment.ts";
import { exitCode } from "../exit-code.ts";
import { deadlineLayers, openLease } from "./extend.ts";
import { sshTarget } from "../ssh-target.ts";
import { readOutputs, type BerthOutputs } from "../stack-outputs.ts";

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
async function probe(outputs: BerthOutputs, state: string): Promise<Answer> {
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

function answerLine({ answers, detail }: Answer): string {
  const word = answers === undefined ? "not known" : answers ? "yes" : "no";
  return `answers    ${word} (${detail})`;
}

function hostLine(outputs: BerthOutputs, { state, why }: HostState): string {
  const { instanceType = "?", instanceId = "?", address = "?" } = outputs;
  const more = why === undefined ? "" : ` (${why})`;
  return `host       ${state}${more}: ${instanceType} ${instanceId} at ${address}`;
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

/** `berth status`: host, answer, cost so far and time left, from the stack's outputs and the account. */
export async function runStatus(options: StatusOptions, terminal: Terminal): Promise<number> {
  const { env } = options;
  const cloud = cloudOf(env);
  const opened = await findDeployment(options, cloud);
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  const { instanceId, plan } = outputs;
  if (instanceId === undefined) {
    throw new UserError(`"${env}" has no host.`, {
      hint: `Make one with: npm run berth -- up --env ${env}`,
    });
  }
  const region = regionOfStack(env);
  const host = await readHostState(accountOf(env, region, cloud), instanceId);
  const asked = options.probe ?? true;
  const answer = asked ? await probe(outputs, host.state) : undefined;
  const now = await readClock(cloud);
  terminal.say(
    `model      ${plan?.modelId ?? "?"} for ${outputs.owner ?? "?"}`,
    hostLine(outputs, host),
  );
  if (answer !== undefined) terminal.say(answerLine(answer));
  terminal.say(...costLines(outputs, now));
  if (host.state === "gone" || host.state === "terminated") {
    terminal.say(
      `next       the host has ended; remove the rest with: npm run berth -- down --env ${env}`,
    );
  }
  const armed = asked ? await armedLayers(options, terminal) : [];
  const cost = runningCost(outputs, now) ?? null;
  terminal.result({ env, host, answer: answer ?? null, cost, armed, outputs });
  return exitCode.ok;
}
