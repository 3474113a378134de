import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { Faults } from "../faults.ts";
import type { Moto } from "../moto/moto.ts";
import type { ObjectStore } from "../s3/object-store.ts";
import { DataCapture, type Exchange } from "./data-capture.ts";
import {
  startContainers,
  type EndpointContainers,
  type VariantContainer,
} from "./endpoint-containers.ts";
import { notBegun, type RunningEndpoint as Running } from "./running-endpoint.ts";
import { endpointKey, type HostedEndpoint } from "./hosted-endpoint.ts";
import { InvocationAlarms, type Answered } from "./invocation-alarms.ts";
import { chooseType, ProvisionFailure } from "./provision.ts";
import { rolloutSteps } from "./rollout.ts";
import type { ServingImage } from "./serving-images.ts";

/** What endpoints need of the cloud. */
export interface EndpointsParts {
  readonly moto: Moto;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly images: readonly ServingImage[];
  /** For the containers' files. */
  readonly folder: string;
}

const watchPauseMs = 100;

/**
 * SageMaker's endpoints: moto keeps what was asked, and this brings it about, in the states and with the failures of the
 * real service. A container is a process of this machine.
 */
export class Endpoints {
  readonly #parts: EndpointsParts;
  readonly #alarms: InvocationAlarms;
  readonly #captures: DataCapture;
  readonly #running = new Map<string, Running>();
  #sync: Promise<void> = Promise.resolve();
  #count = 0;
  #stopping = false;

  constructor(parts: EndpointsParts) {
    this.#parts = parts;
    this.#captures = new DataCapture(parts.store, parts.clock);
    this.#alarms = new InvocationAlarms(parts.moto, parts.clock);
  }

  /** To be told after every call that may have changed an endpoint. */
  changed(): Promise<void> {
    this.#sync = this.#sync.then(() => (this.#stopping ? undefined : this.#look()));
    return this.#sync;
  }

  /** Resolves when every endpoint has come as far as it can. */
  async settled(): Promise<void> {
    await this.#sync;
    for (const { work, watching } of this.#running.values()) {
      await Promise.race([work, watching.promise]);
    }
  }

  /**
   * The container for one request to an endpoint that is in service; undefined otherwise.
   *
   * @param target the variant that the request names
   */
  serving(region: string, name: string, target?: string): VariantContainer | undefined {
    const running = this.#running.get(endpointKey({ region, name }));
    if (running?.next === undefined) return running?.serving?.pick(target);
    const { serving, share } = running.next;
    const [before, after] = [running.requests, (running.requests += 1)];
    const isNext = Math.floor(after * share) > Math.floor(before * share);
    return (isNext ? serving : running.serving)?.pick(target);
  }

  /** What gets a copy of one request that was answered; undefined when nothing does. */
  shadow(region: string, name: string): VariantContainer | undefined {
    return this.#running.get(endpointKey({ region, name }))?.serving?.shadow?.();
  }

  /** Whether an endpoint has an instance now. */
  serves(region: string, name: string): boolean {
    return this.#running.get(endpointKey({ region, name }))?.serving !== undefined;
  }

  /** To be told what a container answered. */
  answered(region: string, name: string, { variant, status }: Answered): void {
    this.#alarms.record(region, name, { variant, status });
  }

  /** Keeps a request and its answer, where the endpoint's configuration asks for it. */
  async capture(region: string, name: string, exchange: Exchange): Promise<void> {
    const { endpoint } = this.#running.get(endpointKey({ region, name })) ?? {};
    if (endpoint !== undefined) await this.#captures.keep(endpoint, exchange);
  }

  /** An asynchronous endpoint that has been in service; it may have no instance now. */
  asynchronous(region: string, name: string): HostedEndpoint | undefined {
    const { endpoint } = this.#running.get(endpointKey({ region, name })) ?? {};
    return endpoint?.async?.OutputConfig === undefined ? undefined : endpoint;
  }

  allAsynchronous(): readonly HostedEndpoint[] {
    return [...this.#running.values()].flatMap(({ endpoint }) =>
      endpoint?.async?.OutputConfig === undefined ? [] : [endpoint],
    );
  }

  /** Starts an instance of an endpoint that has none. */
  wake(endpoint: HostedEndpoint): void {
    const running = this.#running.get(endpointKey(endpoint));
    if (running === undefined || running.serving !== undefined || running.work !== undefined)
      return;
    this.#begin(running, this.#bringUp(endpoint, running));
  }

  /** Looks again when the work is done: a change that came meanwhile, such as while old containers stop, has waited. */
  #begin(running: Running, work: Promise<void>): void {
    running.work = work.finally(() => {
      running.work = undefined;
      this.changed().catch(() => undefined);
    });
  }

  /** Ends an endpoint's last instance; it stays in service. */
  async rest(endpoint: HostedEndpoint): Promise<void> {
    const running = this.#running.get(endpointKey(endpoint));
    if (running?.serving === undefined || running.work !== undefined) return;
    const { serving } = running;
    running.serving = undefined;
    await serving.stop();
    await this.#tell(endpoint, { status: "InService", instances: 0 });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#sync.catch(() => undefined);
    for (const running of this.#running.values()) {
      running.abort.abort();
      await running.work?.catch(() => undefined);
      await running.serving?.stop();
    }
  }

  async #look(): Promise<void> {
    for (const endpoint of await this.#parts.moto.ask<HostedEndpoint[]>("endpoints")) {
      const key = endpointKey(endpoint);
      const running = this.#running.get(key) ?? notBegun();
      this.#running.set(key, running);
      if (endpoint.status === "Deleting") {
        if (!running.abort.signal.aborted) this.#remove(endpoint, running);
      } else if (running.work === undefined && endpoint.reweighed) {
        running.serving?.weigh(endpoint.reweighed);
        await this.#tell(endpoint, { status: "InService" });
      } else if (running.work === undefined && /^(Creating|Updating)$/.test(endpoint.status)) {
        running.watching = Promise.withResolvers<undefined>();
        const isEmpty = endpoint.variants.some(({ ModelName }) => ModelName === undefined);
        const work = isEmpty
          ? this.#bringUpEmpty(endpoint, running)
          : this.#bringUp(endpoint, running);
        this.#begin(running, work);
      }
    }
  }

  #remove(endpoint: HostedEndpoint, running: Running): void {
    running.abort.abort();
    const before = running.work;
    running.work = (async () => {
      await before?.catch(() => undefined);
      await running.serving?.stop();
      this.#running.delete(endpointKey(endpoint));
      await this.#tell(endpoint, { gone: true });
    })();
  }

  async #bringUp(endpoint: HostedEndpoint, running: Running): Promise<void> {
    const { region, name, config } = endpoint;
    const folder = join(this.#parts.folder, `${name}-${(this.#count += 1)}`);
    const [variant] = endpoint.variants;
    const logOf = (variantName: string) => this.#logOf(region, name, variantName);
    try {
      const { signal } = running.abort;
      if (variant === undefined) throw new ProvisionFailure("The endpoint configuration is gone.");
      const started = { ...this.#parts, folder, logOf, signal };
      const serving = await startContainers(endpoint, started);
      if (running.abort.signal.aborted) {
        await serving.stop();
        return;
      }
      const before = running.serving;
      if (before !== undefined && !(await this.#shift(endpoint, running, serving))) return;
      Object.assign(running, { serving, config, endpoint });
      const instances =
        variant.ServerlessConfig === undefined ? (variant.InitialInstanceCount ?? 1) : undefined;
      const { instanceType } = serving;
      const pooled = variant.InstancePools === undefined ? {} : { instanceType };
      await this.#tell(endpoint, { status: "InService", config, instances, ...pooled });
      await before?.stop();
    } catch (error) {
      if (running.abort.signal.aborted) return;
      const failureReason = error instanceof ProvisionFailure ? error.message : String(error);
      await this.#fail(endpoint, running, failureReason);
    } finally {
      if (running.config !== config) await rm(folder, { recursive: true, force: true });
    }
  }

  /** An endpoint whose models come as inference components: instances, and nothing on them. */
  async #bringUpEmpty(endpoint: HostedEndpoint, running: Running): Promise<void> {
    const { config, variants } = endpoint;
    try {
      for (const variant of variants) chooseType(this.#parts.faults, variant);
      const instances = variants[0]?.InitialInstanceCount ?? 1;
      await this.#tell(endpoint, { status: "InService", config, instances });
      Object.assign(running, { config, endpoint });
    } catch (error) {
      await this.#fail(endpoint, running, error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Moves the traffic to a new container step by step, and looks at the alarms after each; false when the endpoint is deleted
   * meanwhile.
   *
   * @throws ProvisionFailure naming the alarms that went off; the new container is ended by then
   */
  async #shift(
    endpoint: HostedEndpoint,
    running: Running,
    serving: EndpointContainers,
  ): Promise<boolean> {
    const { clock } = this.#parts;
    const { deployment, region } = endpoint;
    const names = deployment?.AutoRollbackConfiguration?.Alarms?.map(({ AlarmName }) => AlarmName);
    const instances = endpoint.variants[0]?.InitialInstanceCount ?? 1;
    const since = clock.now().getTime();
    try {
      for (const { share, watchSeconds } of rolloutSteps(deployment ?? undefined, instances)) {
        running.next = { serving, share };
        const end = clock.now().getTime() + watchSeconds * 1000;
        for (;;) {
          const over = clock.now().getTime() >= end;
          if (running.abort.signal.aborted) {
            await serving.stop();
            return false;
          }
          const raised = await this.#alarms.raised(region, names ?? [], since);
          if (raised.length > 0) {
            await serving.stop();
            throw new ProvisionFailure(
              `The deployment was rolled back, since an alarm of its auto-rollback configuration went off: ${raised.join(", ")}.`,
            );
          }
          if (over) break;
          running.watching.resolve(undefined);
          await sleep(watchPauseMs);
        }
      }
      return true;
    } finally {
      running.next = undefined;
    }
  }

  /** A new endpoint has failed; one that was being changed goes on as it was. */
  async #fail(endpoint: HostedEndpoint, running: Running, failureReason: string): Promise<void> {
    if (running.endpoint === undefined) {
      await this.#tell(endpoint, { status: "Failed", failureReason });
      return;
    }
    await this.#tell(endpoint, { status: "RollingBack", failureReason });
    await this.#tell(endpoint, { status: "InService", failureReason });
  }

  async #tell(endpoint: HostedEndpoint, change: object): Promise<void> {
    const { region, name } = endpoint;
    await this.#parts.moto.ask("endpoint", { region, name, ...change });
  }

  #logOf(region: string, name: string, variant: string): (line: string) => void {
    const group = `/aws/sagemaker/Endpoints/${name}`;
    const stream = `${variant}/i-${String((this.#count += 1)).padStart(17, "0")}`;
    let writing: Promise<unknown> = Promise.resolve();
    return (line) => {
      writing = writing
        .then(() => this.#parts.moto.ask("log", { region, group, stream, lines: [line] }))
        .catch(() => undefined);
    };
  }
}
