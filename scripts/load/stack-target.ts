import { loadCatalogue } from "../../components/catalogue/load.ts";
import { UserError } from "../../components/user-error.ts";
import { sshCredentials } from "../../provider/adapters/ssh-credentials.ts";
import { SshSession } from "../../provider/adapters/ssh-session.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import { findDeployment } from "../stack/deployment.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { priceDate, readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";
import type { BenchOptions } from "./bench-options.ts";
import { openServer, type BenchTarget } from "./bench-target.ts";
import { openEndpointTarget } from "./endpoint-target.ts";
import { noEstimate, plannerEstimate } from "./planner-estimate.ts";

/** A load test ends so long before the lease, for the teardown's own sake. */
const marginSeconds = 60;
/** With less than this left nothing is begun. */
const leastSeconds = 30;

/**
 * How long a stack may still be asked, seconds; undefined without a deadline.
 *
 * @throws UserError when it is as good as over
 */
export function secondsToDeadline({ expiresAt }: BerthOutputs, now: Date): number | undefined {
  if (expiresAt === undefined || expiresAt === "") return undefined;
  const seconds = (Date.parse(expiresAt) - now.getTime()) / 1000 - marginSeconds;
  if (seconds >= leastSeconds) return seconds;
  throw new UserError(`The lease ends at ${expiresAt}, which leaves no time for a load test.`, {
    hint: "Give it more first, such as: npm run berth -- extend 1h",
  });
}

/** What is known of a stack, or of an endpoint that is none's. */
export interface KnownStack {
  readonly outputs: BerthOutputs;
  readonly options: Pick<BenchOptions, "form" | "ignoreEos" | "model" | "hourlyUsd">;
  readonly client: ClientSettings;
  readonly emulated: boolean;
  /** The time where the stack lives. */
  readonly now: Date;
  /** As the command line has it. */
  readonly hourlyUsd: number | undefined;
}

function described({ outputs, emulated, options, ...known }: KnownStack) {
  const { instanceType, plan } = outputs;
  const hourlyUsd = known.hourlyUsd ?? outputs.hourlyUsd;
  const source =
    options.hourlyUsd === undefined
      ? `the most that an hour of the stack costs, by the prices of ${priceDate(outputs)}`
      : "by --hourly-usd";
  return {
    instanceType,
    hourlyUsd,
    priceSource: hourlyUsd === undefined ? undefined : source,
    emulated,
    model: plan?.modelId ?? "?",
  };
}

function contextOf({ plan }: BerthOutputs): number | undefined {
  const context: unknown = plan?.["contextTokens"];
  return typeof context === "number" ? context : undefined;
}

async function openHost(known: KnownStack, url: string): Promise<BenchTarget> {
  if (url.startsWith("https:")) {
    throw new UserError(
      "The model server of this stack speaks TLS with a certificate of its own.",
      {
        hint: `Measure it from where it may be asked: NODE_EXTRA_CA_CERTS=<certificate> berth bench --url ${url}/v1`,
      },
    );
  }
  const { outputs, options, now } = known;
  const deadlineSeconds = secondsToDeadline(outputs, now);
  const { address, port, user, hostKey, through } = sshTarget(outputs);
  const endpoint = { host: address, port, user, hostKeys: [hostKey], through };
  const session = await SshSession.connect(endpoint, await sshCredentials());
  const forward = await session.forward(Number(new URL(url).port));
  const close = (): void => {
    forward.close();
    session.close();
  };
  try {
    const { form = "completion", ignoreEos = true } = options;
    const baseUrl = `http://127.0.0.1:${forward.port}/v1`;
    const server = { baseUrl, token: outputs.apiToken, form, ignoreEos, model: undefined };
    const opened = await openServer(server);
    return {
      load: opened.load,
      roundTripSeconds: opened.roundTripSeconds,
      described: { kind: "host", address: `${address}, through SSH`, ...described(known) },
      estimate: plannerEstimate(outputs.plan, outputs.instanceType, loadCatalogue()),
      contextTokens: contextOf(outputs),
      deadlineSeconds,
      close: () => {
        opened.load.close();
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

function openEndpoint(known: KnownStack, endpointName: string): BenchTarget {
  const { outputs, options, client, now } = known;
  const { form, ignoreEos = false, model } = options;
  const deadlineSeconds = secondsToDeadline(outputs, now);
  const own = outputs.plan?.endpoint?.container.requestForm ?? "completion";
  const { inferenceComponent: componentName } = outputs;
  const asked = { endpointName, form: form ?? own, client, componentName };
  const load = openEndpointTarget(asked, { model, ignoreEos });
  const named = described(known);
  return {
    load,
    described: { kind: "endpoint", address: endpointName, ...named, model: model ?? named.model },
    estimate:
      outputs.plan === undefined
        ? noEstimate
        : plannerEstimate(outputs.plan, outputs.instanceType, loadCatalogue()),
    contextTokens: contextOf(outputs),
    roundTripSeconds: undefined,
    deadlineSeconds,
    close: () => {
      load.close();
    },
  };
}

/**
 * The model that the outputs of a stack name, on whichever target it is.
 *
 * @throws UserError when there is none that answers a load test, or its lease is as good as over
 */
export async function openKnownStack(known: KnownStack): Promise<BenchTarget> {
  const { endpointName, asyncUri, url } = known.outputs;
  if (asyncUri !== undefined) {
    throw new UserError(
      "This stack's endpoint is asynchronous: its answers come whole, through S3.",
      {
        hint: "A load test would measure the queue. Set berth:endpointMode to realtime for one.",
      },
    );
  }
  if (endpointName !== undefined) return openEndpoint(known, endpointName);
  if (url !== undefined) return openHost(known, url);
  throw new UserError("This stack serves no model.", {
    hint: "Run berth up, or name what to measure: berth bench --url http://127.0.0.1:8000/v1",
  });
}

/**
 * The model of the stack that the command line names, or the endpoint that it names instead, in that stack's region.
 *
 * @throws UserError as {@link openKnownStack} does
 */
export async function openStack(
  options: BenchOptions,
  hourlyUsd: number | undefined,
): Promise<BenchTarget> {
  const { env, endpoint } = options;
  const cloud = cloudOf(env);
  const now = await readClock(cloud);
  const shared = { options, emulated: cloud !== undefined, now, hourlyUsd };
  const { client } = accountOf(env, regionOfStack(env), cloud);
  if (endpoint !== undefined) {
    return openKnownStack({ ...shared, client, outputs: { endpointName: endpoint } });
  }
  const opened = await findDeployment(options, cloud);
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  return openKnownStack({ ...shared, client, outputs });
}
