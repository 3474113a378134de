import type { EndpointContainers } from "./endpoint-containers.ts";
import type { HostedEndpoint } from "./hosted-endpoint.ts";

/** An endpoint on its way, or that serves. */
export interface RunningEndpoint {
  serving: EndpointContainers | undefined;
  /** What is to serve next, and the share of the requests that it has already. */
  next: { readonly serving: EndpointContainers; readonly share: number } | undefined;
  /** Requests so far, by which they are shared. */
  requests: number;
  /** Settles when the work waits for nothing but time. */
  watching: PromiseWithResolvers<undefined>;
  /** The configuration that serves. */
  config: string | undefined;
  /** The work under way, and how to give it up. */
  work: Promise<void> | undefined;
  abort: AbortController;
  /** What serves, as it was asked for. */
  endpoint: HostedEndpoint | undefined;
}

/** An endpoint that nothing has been done to. */
export function notBegun(): RunningEndpoint {
  return {
    serving: undefined,
    next: undefined,
    requests: 0,
    watching: Promise.withResolvers<undefined>(),
    config: undefined,
    work: undefined,
    abort: new AbortController(),
    endpoint: undefined,
  };
}
