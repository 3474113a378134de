import { join } from "node:path";
import type { EndpointContainers, VariantContainer } from "./endpoint-containers.ts";
import type { HostedEndpoint, HostedVariant } from "./hosted-endpoint.ts";
import { provision, type ProvisionParts } from "./provision.ts";
import type { ServingProcess } from "./serving-process.ts";

/** A variant's container that is well. */
interface OwnContainer extends VariantContainer {
  readonly serving: ServingProcess;
}

/** What the containers of all variants are made with. */
export interface ContainersParts extends Omit<ProvisionParts, "log"> {
  /** What writes the log of a variant. */
  readonly logOf: (variant: string) => (line: string) => void;
}

/** The containers of an endpoint's variants, among which its requests are shared by their weights. */
export class VariantContainers implements EndpointContainers {
  readonly #all: readonly OwnContainer[];
  readonly #weights = new Map<string, number>();
  readonly #given = new Map<string, number>();

  private constructor(variants: readonly HostedVariant[], all: readonly OwnContainer[]) {
    this.#all = all;
    for (const { VariantName, InitialVariantWeight = 1 } of variants) {
      this.#weights.set(VariantName, InitialVariantWeight);
    }
  }

  /**
   * Starts a container of each variant, and waits until all are well; none is left where one is not.
   *
   * @throws ProvisionFailure with SageMaker's reason
   */
  static async start(
    { variants }: HostedEndpoint,
    { logOf, ...parts }: ContainersParts,
  ): Promise<VariantContainers> {
    const started = await Promise.allSettled(
      variants.map(async (variant): Promise<OwnContainer> => {
        const { VariantName } = variant;
        const folder = join(parts.folder, VariantName);
        const own = { ...parts, folder, log: logOf(VariantName) };
        return { variant: VariantName, ...(await provision(variant, own)) };
      }),
    );
    const well = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const failed = started.find((each) => each.status === "rejected");
    if (failed === undefined) return new VariantContainers(variants, well);
    await Promise.all(well.map(({ serving }) => serving.stop()));
    throw failed.reason;
  }

  /** What the first variant runs on. */
  get instanceType(): string {
    return this.#all[0]?.instanceType ?? "";
  }

  /** The container for one request: of the variant that is named, else of the one that is furthest behind its share. */
  pick(target: string | undefined): VariantContainer | undefined {
    if (target !== undefined) return this.#all.find(({ variant }) => variant === target);
    const weights = [...this.#weights.values()].reduce((sum, each) => sum + each, 0);
    const requests = [...this.#given.values()].reduce((sum, each) => sum + each, 0) + 1;
    const behind = ({ variant }: OwnContainer): number =>
      ((this.#weights.get(variant) ?? 0) / weights) * requests - (this.#given.get(variant) ?? 0);
    const [chosen] = this.#all.toSorted((a, b) => behind(b) - behind(a));
    if (chosen === undefined) return undefined;
    this.#given.set(chosen.variant, (this.#given.get(chosen.variant) ?? 0) + 1);
    return chosen;
  }

  /** Shares the requests otherwise from now on. */
  weigh(weights: Readonly<Record<string, number>>): void {
    for (const [variant, weight] of Object.entries(weights)) this.#weights.set(variant, weight);
    this.#given.clear();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ serving }) => serving.stop()));
  }
}
