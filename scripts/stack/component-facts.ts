import { usd } from "../../components/plan-text.ts";
import type { ComponentState } from "../adapters/endpoint/endpoint-state.ts";
import type { EndpointFact } from "./endpoint-facts.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** The models of an endpoint that share its instances, as they are now. */
interface SharedEndpoint {
  readonly outputs: BerthOutputs;
  readonly states: readonly ComponentState[];
  /** Instances that there are now. */
  readonly instances: number;
}

/**
 * Each model with its copies and its share of what an hour costs now, by the GPUs that they reserve, and what nobody reserved.
 * No shares where an `up` of before recorded no prices.
 */
export function componentFacts({
  outputs,
  states,
  instances,
}: SharedEndpoint): readonly EndpointFact[] {
  const { served = [], plan } = outputs;
  const { copy, further = [], pools = [] } = plan?.endpoint ?? {};
  const gpusOfOne = plan?.ladder?.[0]?.gpuCount ?? 0;
  const [pool] = pools;
  const hourUsd = (gpus: number) =>
    pool === undefined || gpusOfOne === 0 ? undefined : (pool.hourlyUsd * gpus) / gpusOfOne;
  const priceOf = (gpus: number) => {
    const share = hourUsd(gpus);
    return share === undefined || instances === 0 ? "" : `, ${usd(share)} of the hour`;
  };
  let reserved = 0;
  const facts = served.map(({ modelId, component }, index): EndpointFact => {
    const found = states.find(({ name }) => name === component);
    const { state = "unknown", copies = 0, failure = "" } = found ?? {};
    const own = index === 0 ? copy : further[index - 1]?.copy;
    const gpus = copies * (own?.accelerators ?? 0);
    reserved += gpus;
    const why = failure === "" ? "" : ` (${failure})`;
    const text = `${modelId}: ${state}, ${copies} cop${copies === 1 ? "y" : "ies"}${priceOf(gpus)}${why}`;
    return { what: "component", text };
  });
  const all = instances * gpusOfOne;
  const idle = all - reserved;
  if (served.length === 0 || pool === undefined || idle <= 0) return facts;
  return [...facts, { what: "idle", text: `${idle} of ${all} GPUs${priceOf(idle)}` }];
}
