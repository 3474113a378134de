import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { Moto } from "../moto/moto.ts";
import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { endpointKey, type HostedEndpoint } from "./hosted-endpoint.ts";
import type { Endpoints } from "./endpoints.ts";
import { parseS3Uri, writeObject } from "./model-data.ts";
import { endpointOf } from "./runtime.ts";

interface Job {
  readonly id: string;
  readonly input: { readonly bucket: string; readonly key: string };
  readonly contentType: string;
  readonly output: string;
  readonly failure: string | undefined;
  /** Cloud time at which it came, milliseconds. */
  readonly since: number;
}

/** How an endpoint scales, by `endpoints.py`. */
interface Scaling {
  readonly scales: boolean;
  readonly least?: number;
  readonly wakes?: boolean;
  readonly quietSeconds?: number | null;
}

/** What jobs need of the cloud. */
export interface AsyncJobsParts {
  readonly moto: Moto;
  readonly store: ObjectStore;
  readonly clock: Clock;
}

const tickMs = 500;

/** Requests that wait in S3 for an asynchronous endpoint, which may have no instance yet or no more. */
export class AsyncJobs {
  readonly #parts: AsyncJobsParts;
  readonly #endpoints: Endpoints;
  readonly #waiting = new Map<string, Job[]>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Cloud time since which an endpoint has had nothing to do, milliseconds. */
  readonly #quietSince = new Map<string, number>();
  /** Minute of the cloud's time of the last report of an endpoint's queue. */
  readonly #reported = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: AsyncJobsParts, endpoints: Endpoints) {
    this.#parts = parts;
    this.#endpoints = endpoints;
    this.#timer = setInterval(() => void this.look(), tickMs);
    this.#timer.unref();
  }

  /** Takes a request, which is answered in S3 later. */
  add(call: ApiRequest): ApiReply {
    const endpoint = this.#endpoints.asynchronous(call.region, endpointOf(call));
    const input = parseS3Uri(call.headers["x-amzn-sagemaker-inputlocation"] ?? "");
    if (endpoint === undefined) {
      const message = `Endpoint ${endpointOf(call)} of account 123456789012 not found, or it has no AsyncInferenceConfig.`;
      throw new ApiError("ValidationError", message);
    }
    if (input === undefined) {
      throw new ApiError("ValidationError", "InputLocation must be an address in S3.");
    }
    const { S3OutputPath = "", S3FailurePath } = endpoint.async?.OutputConfig ?? {};
    const id = randomUUID();
    const place = (path: string, ending: string) => `${path.replace(/\/*$/, "")}/${id}${ending}`;
    const job: Job = {
      id,
      input,
      contentType: call.headers["x-amzn-sagemaker-content-type"] ?? "application/json",
      output: place(S3OutputPath, ".out"),
      since: this.#parts.clock.now().getTime(),
      failure: S3FailurePath === undefined ? undefined : place(S3FailurePath, "-error.out"),
    };
    const key = endpointKey(endpoint);
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), job]);
    void this.look();
    return {
      status: 202,
      headers: {
        "content-type": "application/json",
        "x-amzn-sagemaker-outputlocation": job.output,
        ...(job.failure === undefined ? {} : { "x-amzn-sagemaker-failurelocation": job.failure }),
      },
      body: JSON.stringify({ InferenceId: id }),
    };
  }

  /** Works off what can be, and scales what has to be; one look at a time. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookAtAll()).catch(() => undefined);
    return this.#looking;
  }

  /** Resolves when nothing is being answered. */
  async settled(): Promise<void> {
    await this.look();
    await Promise.all(this.#busy.values());
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookAtAll(): Promise<void> {
    for (const endpoint of this.#endpoints.allAsynchronous()) {
      const key = endpointKey(endpoint);
      const waiting = this.#waiting.get(key) ?? [];
      await this.#report(endpoint, waiting);
      if (waiting.length > 0 || this.#busy.has(key)) this.#quietSince.delete(key);
      if (!this.#endpoints.serves(endpoint.region, endpoint.name)) {
        if (waiting.length > 0 && (await this.#scaling(endpoint)).wakes === true) {
          this.#endpoints.wake(endpoint);
        }
      } else if (waiting.length > 0) this.#workOff(endpoint);
      else if (!this.#busy.has(key)) await this.#restWhenQuiet(endpoint);
    }
  }

  /** Once a minute, how many requests wait or are being answered, and for how long the oldest has. */
  async #report({ region, name }: HostedEndpoint, waiting: readonly Job[]): Promise<void> {
    const key = endpointKey({ region, name });
    const at = this.#parts.clock.now().getTime();
    const minute = Math.floor(at / 60_000);
    if (this.#reported.get(key) === minute) return;
    this.#reported.set(key, minute);
    const oldest = waiting[0] === undefined ? 0 : Math.round((at - waiting[0].since) / 1000);
    const metrics = {
      ApproximateBacklogSize: waiting.length,
      ApproximateAgeOfOldestRequest: oldest,
    };
    await this.#parts.moto.ask("report", { region, name, at, metrics });
  }

  #scaling({ region, name }: HostedEndpoint): Promise<Scaling> {
    return this.#parts.moto.ask<Scaling>("scaling", { region, name });
  }

  async #restWhenQuiet(endpoint: HostedEndpoint): Promise<void> {
    const key = endpointKey(endpoint);
    const now = this.#parts.clock.now().getTime();
    const since = this.#quietSince.get(key) ?? now;
    this.#quietSince.set(key, since);
    const { scales, least, quietSeconds } = await this.#scaling(endpoint);
    if (!scales || least !== 0 || typeof quietSeconds !== "number") return;
    if (now - since >= quietSeconds * 1000) await this.#endpoints.rest(endpoint);
  }

  #workOff(endpoint: HostedEndpoint): void {
    const key = endpointKey(endpoint);
    if (this.#busy.has(key)) return;
    const work = (async () => {
      for (;;) {
        const [job, ...rest] = this.#waiting.get(key) ?? [];
        if (job === undefined) return;
        await this.#answer(job, endpoint);
        this.#waiting.set(
          key,
          [...(this.#waiting.get(key) ?? rest)].filter((each) => each !== job),
        );
      }
    })().finally(() => this.#busy.delete(key));
    this.#busy.set(key, work);
  }

  async #answer(
    { input, contentType, output, failure }: Job,
    { region, name }: HostedEndpoint,
  ): Promise<void> {
    const { store } = this.#parts;
    try {
      const found = this.#endpoints.serving(region, name);
      if (found === undefined) throw new Error("The endpoint has no instance.");
      const { variant, serving } = found;
      const body = await readFile(store.object(input.bucket, input.key).file);
      const answer = await serving.invoke(body, { "content-type": contentType });
      this.#endpoints.answered(region, name, { variant, status: answer.status });
      const text = Buffer.from(await answer.arrayBuffer());
      if (!answer.ok) throw new Error(`${answer.status}: ${text.toString()}`);
      await writeObject(store, output, text);
    } catch (error) {
      if (failure !== undefined) await writeObject(store, failure, Buffer.from(String(error)));
    }
  }
}
