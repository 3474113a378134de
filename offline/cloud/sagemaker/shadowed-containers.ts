import type { EndpointContainers, VariantContainer } from "./endpoint-containers.ts";
import type { HostedEndpoint, HostedVariant } from "./hosted-endpoint.ts";
import { VariantContainers, type ContainersParts } from "./variant-containers.ts";

/** The share of the requests that a shadow gets copies of, by its weight against those whose requests they are. */
function sampledShare(shadow: HostedVariant, variants: readonly HostedVariant[]): number {
  const weights = variants.map(({ InitialVariantWeight = 1 }) => InitialVariantWeight);
  const all = weights.reduce((sum, each) => sum + each, 0);
  return Math.min(1, (shadow.InitialVariantWeight ?? 1) / all);
}

/** The containers of an endpoint with a shadow, which is one more that no request is for. */
export class ShadowedContainers implements EndpointContainers {
  readonly #answering: VariantContainers;
  readonly #shadow: VariantContainers;
  readonly #share: number;
  #requests = 0;

  private constructor(answering: VariantContainers, shadow: VariantContainers, share: number) {
    this.#answering = answering;
    this.#shadow = shadow;
    this.#share = share;
  }

  /**
   * Starts all of them, and waits until they are well.
   *
   * @throws ProvisionFailure with SageMaker's reason
   */
  static async start(
    endpoint: HostedEndpoint,
    parts: ContainersParts,
  ): Promise<ShadowedContainers> {
    const { variants, shadows = [] } = endpoint;
    const answering = await VariantContainers.start(endpoint, parts);
    try {
      const shadow = await VariantContainers.start({ ...endpoint, variants: shadows }, parts);
      const [first] = shadows;
      const share = first === undefined ? 0 : sampledShare(first, variants);
      return new ShadowedContainers(answering, shadow, share);
    } catch (error) {
      await answering.stop();
      throw error;
    }
  }

  get instanceType(): string {
    return this.#answering.instanceType;
  }

  pick(target: string | undefined): VariantContainer | undefined {
    return this.#answering.pick(target);
  }

  /** SageMaker draws which; here it is every n-th, so that a run can be repeated. */
  shadow(): VariantContainer | undefined {
    const [before, after] = [this.#requests, (this.#requests += 1)];
    const isDue = Math.floor(after * this.#share) > Math.floor(before * this.#share);
    return isDue ? this.#shadow.pick(undefined) : undefined;
  }

  weigh(weights: Readonly<Record<string, number>>): void {
    this.#answering.weigh(weights);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#answering.stop(), this.#shadow.stop()]);
  }
}
