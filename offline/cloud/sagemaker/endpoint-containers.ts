import type { HostedEndpoint } from "./hosted-endpoint.ts";
import { ServerlessContainers } from "./serverless-containers.ts";
import { ShadowedContainers } from "./shadowed-containers.ts";
import type { ServingProcess } from "./serving-process.ts";
import { VariantContainers, type ContainersParts } from "./variant-containers.ts";

/** A variant's container that is well. */
export interface VariantContainer {
  readonly variant: string;
  readonly instanceType: string;
  readonly serving: Pick<ServingProcess, "invoke">;
}

/** What answers the requests of an endpoint. */
export interface EndpointContainers {
  /** What the first variant runs on; empty where there are no instances. */
  readonly instanceType: string;
  /** The container for one request: of the variant that is named, else whichever the weights give. */
  pick(target: string | undefined): VariantContainer | undefined;
  /** Shares the requests otherwise from now on. */
  weigh(weights: Readonly<Record<string, number>>): void;
  /** What gets a copy of one request; undefined where there is no shadow, or it has its share already. */
  shadow?(): VariantContainer | undefined;
  stop(): Promise<void>;
}

/**
 * Starts what answers an endpoint's requests, and waits until it is well; nothing is left where it is not.
 *
 * @throws ProvisionFailure with SageMaker's reason
 */
export function startContainers(
  endpoint: HostedEndpoint,
  parts: ContainersParts,
): Promise<EndpointContainers> {
  const [first] = endpoint.variants;
  if ((endpoint.shadows ?? []).length > 0) return ShadowedContainers.start(endpoint, parts);
  return first?.ServerlessConfig === undefined
    ? VariantContainers.start(endpoint, parts)
    : ServerlessContainers.start({ ...first, ServerlessConfig: first.ServerlessConfig }, parts);
}
