import { join } from "node:path";
import { ApiError } from "../proxy/api-request.ts";
import type { EndpointContainers, VariantContainer } from "./endpoint-containers.ts";
import type { HostedVariant, ServerlessConfig } from "./hosted-endpoint.ts";
import { startWell } from "./provision.ts";
import type { ServingProcess } from "./serving-process.ts";
import type { ContainersParts } from "./variant-containers.ts";

/** https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html */
const allowed = { payloadBytes: 4 * 1024 * 1024, startSeconds: 180, answerMs: 60_000 } as const;

/** How long a container stays that nobody asks; SageMaker says of it no more than "a while". */
const quietSeconds = 300;

/** A variant that has no instances. */
export type ServerlessVariant = HostedVariant & { readonly ServerlessConfig: ServerlessConfig };

interface Pooled {
  readonly serving: ServingProcess;
  busy: boolean;
  /** Seconds of the cloud's clock. */
  lastUsed: number;
}

/**
 * The containers of a serverless endpoint: one for each request under way, made when there is none that rests, ended when
 * nobody asked it for a while, and by the system when it takes more than its memory. What is provisioned is never ended.
 */
export class ServerlessContainers implements EndpointContainers {
  readonly instanceType = "";
  readonly #variant: ServerlessVariant;
  readonly #parts: ContainersParts;
  readonly #pool = new Set<Pooled>();
  #underWay = 0;
  #count = 0;

  private constructor(variant: ServerlessVariant, parts: ContainersParts) {
    this.#variant = variant;
    this.#parts = parts;
  }

  /**
   * Starts the containers that are provisioned, one at least, since an endpoint whose container is not well fails.
   *
   * @throws ProvisionFailure with SageMaker's reason
   */
  static async start(
    variant: ServerlessVariant,
    parts: ContainersParts,
  ): Promise<ServerlessContainers> {
    const made = new ServerlessContainers(variant, parts);
    const { ProvisionedConcurrency = 0 } = variant.ServerlessConfig;
    const wanted = Array.from({ length: Math.max(1, ProvisionedConcurrency) }, () =>
      made.#make(false),
    );
    const failed = (await Promise.allSettled(wanted)).find(({ status }) => status === "rejected");
    if (failed === undefined) return made;
    await made.stop();
    throw (failed as PromiseRejectedResult).reason;
  }

  pick(target: string | undefined): VariantContainer | undefined {
    const { VariantName: variant } = this.#variant;
    if (target !== undefined && target !== variant) return undefined;
    const invoke: ServingProcess["invoke"] = (body, headers) => this.#invoke(body, headers);
    return { variant, instanceType: "", serving: { invoke } };
  }

  /** It has all of the requests, whatever the weight. */
  weigh(): void {
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#pool].map(({ serving }) => serving.stop()));
    this.#pool.clear();
  }

  async #invoke(body: Buffer, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { MaxConcurrency } = this.#variant.ServerlessConfig;
    if (body.length > allowed.payloadBytes) {
      throw new ApiError("ValidationError", "The request has oversize body.");
    }
    if (this.#underWay >= MaxConcurrency) {
      throw new ApiError("ThrottlingException", "Rate exceeded", 429);
    }
    this.#underWay += 1;
    try {
      const container = await this.#free();
      return await this.#answer(container, body, headers);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #answer(
    container: Pooled,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const late = AbortSignal.timeout(allowed.answerMs);
    try {
      const answer = await container.serving.invoke(body, headers, late);
      // The whole of it, since the container is another request's after that.
      return new Response(await answer.arrayBuffer(), answer);
    } catch (error) {
      const why = late.aborted
        ? "Your invocation timed out while waiting for a response from container primary."
        : `The container ended while it answered: ${String(error)}`;
      throw new ApiError("ModelError", why, 424);
    } finally {
      container.busy = false;
      container.lastUsed = this.#now();
      // One that did not answer in time still works on it.
      if (late.aborted) await this.#end(container);
    }
  }

  /** A container that rests, or a new one, which is the cold start. */
  async #free(): Promise<Pooled> {
    await this.#endQuiet();
    const resting = [...this.#pool].find(({ busy, serving }) => !busy && !serving.ended);
    if (resting === undefined) return this.#make(true);
    resting.busy = true;
    return resting;
  }

  async #endQuiet(): Promise<void> {
    const { ProvisionedConcurrency: kept = 0 } = this.#variant.ServerlessConfig;
    const [now, all] = [this.#now(), [...this.#pool]];
    const gone = all.filter(({ serving }) => serving.ended);
    const quiet = all
      .slice(kept)
      .filter(({ busy, lastUsed }) => !busy && now - lastUsed > quietSeconds);
    await Promise.all([...gone, ...quiet].map((container) => this.#end(container)));
  }

  async #end(container: Pooled): Promise<void> {
    this.#pool.delete(container);
    await container.serving.stop();
  }

  async #make(busy: boolean): Promise<Pooled> {
    const { logOf, ...parts } = this.#parts;
    const { VariantName, ServerlessConfig } = this.#variant;
    const folder = join(parts.folder, `${VariantName}-${(this.#count += 1)}`);
    const patience = { ContainerStartupHealthCheckTimeoutInSeconds: allowed.startSeconds };
    const log = logOf(VariantName);
    const own = { ...parts, folder, log, memoryMiB: ServerlessConfig.MemorySizeInMB };
    const serving = await startWell({ ...this.#variant, ...patience }, own);
    const container = { serving, busy, lastUsed: this.#now() };
    this.#pool.add(container);
    return container;
  }

  #now(): number {
    return this.#parts.clock.now().getTime() / 1000;
  }
}
