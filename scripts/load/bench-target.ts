import type { Estimate, MeasuredTarget } from "../../components/load-report/load-report.ts";
import { UserError } from "../../components/user-error.ts";
import { listModels, openHttpTarget, type HttpModel } from "./http-target.ts";
import type { LoadTarget } from "./load-target.ts";
import { noEstimate } from "./planner-estimate.ts";
import { RequestFailure } from "./request-failure.ts";
import type { BenchOptions } from "./bench-options.ts";

/** What a load test goes to, opened. */
export interface BenchTarget {
  readonly described: MeasuredTarget;
  readonly load: LoadTarget;
  readonly estimate: Estimate;
  /** Tokens of prompt and answer together; undefined where it is not known. */
  readonly contextTokens: number | undefined;
  readonly roundTripSeconds: number | undefined;
  /** Until the lease ends; undefined without one. */
  readonly deadlineSeconds: number | undefined;
  close(): void;
}

/** The variable that holds the token for `--url`. */
export const tokenVariable = "BERTH_BENCH_TOKEN";

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * The address that a person gave, as the API's base.
 *
 * @throws UserError when it is none, or when the token would go over the network unencrypted
 */
export function baseUrlOf(text: string, token: string | undefined): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UserError(`--url: "${text}" is no http or https address.`, {
      hint: "Such as http://127.0.0.1:8000/v1, with the version that the server's paths begin with.",
    });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UserError("--url: an address alone is taken, without a password and without ?.", {
      hint: `Put the server's token into ${tokenVariable}.`,
    });
  }
  if (token !== undefined && url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new UserError(`--url: ${tokenVariable} would go to ${url.host} unencrypted.`, {
      hint: "Use https, or a tunnel to a port of this machine.",
    });
  }
  return url.href.replace(/\/+$/, "");
}

async function onlyModel(baseUrl: string, token: string | undefined): Promise<string> {
  const models = await listModels(baseUrl, token).catch((cause: unknown) => {
    const why = cause instanceof RequestFailure ? `: ${cause.message}` : "";
    throw new UserError(`${baseUrl} does not say which models it serves${why}.`, {
      hint: "Is it the base of an OpenAI-compatible API, mostly with /v1 at its end? If so, name the model with --model.",
      cause,
    });
  });
  const [only] = models;
  if (only !== undefined && models.length === 1) return only;
  throw new UserError(`${baseUrl} serves ${models.length} models.`, {
    problems: models.slice(0, 20),
    hint: "Choose one with --model.",
  });
}

const roundTrips = 5;

/** The median of a few small requests there and back; undefined where the server does not answer them. */
async function roundTripSeconds(baseUrl: string, token: string | undefined) {
  const seconds: number[] = [];
  for (let turn = 0; turn < roundTrips; turn += 1) {
    const began = performance.now();
    const answered = await listModels(baseUrl, token).then(
      () => true,
      () => false,
    );
    if (!answered) return undefined;
    seconds.push((performance.now() - began) / 1000);
  }
  return seconds.toSorted((a, b) => a - b)[Math.floor(roundTrips / 2)];
}

/** What of a server is known before it is asked. */
export type KnownServer = Omit<HttpModel, "model"> & { readonly model: string | undefined };

/** A server that speaks OpenAI's API, with its model's name asked where nobody gave it. */
export async function openServer(known: KnownServer) {
  const { baseUrl, token } = known;
  const model = known.model ?? (await onlyModel(baseUrl, token));
  const roundTrip = await roundTripSeconds(baseUrl, token);
  return { load: openHttpTarget({ ...known, model }), model, roundTripSeconds: roundTrip };
}

/**
 * The server at the address that was given.
 *
 * @throws UserError when the address is wrong, or its models are not clear
 */
export async function openUrl(
  url: string,
  options: BenchOptions,
  hourlyUsd: number | undefined,
): Promise<BenchTarget> {
  const given = process.env[tokenVariable] ?? "";
  const token = given === "" ? undefined : given;
  const baseUrl = baseUrlOf(url, token);
  const { form = "completion", ignoreEos = false } = options;
  const opened = await openServer({ baseUrl, token, form, ignoreEos, model: options.model });
  return {
    ...opened,
    described: {
      kind: "url",
      address: baseUrl,
      model: opened.model,
      instanceType: undefined,
      hourlyUsd,
      priceSource: hourlyUsd === undefined ? undefined : "by --hourly-usd",
      emulated: false,
    },
    estimate: noEstimate,
    contextTokens: undefined,
    deadlineSeconds: undefined,
    close: () => {
      opened.load.close();
    },
  };
}
