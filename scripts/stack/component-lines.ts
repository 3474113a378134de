import { usd } from "../../components/plan-text.ts";
import type { ComponentState } from "../adapters/endpoint/endpoint-state.ts";
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
export function componentLines({ outputs, states, instances }: SharedEndpoint): readonly string[] {
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
  const lines = served.map(({ modelId, component }, index) => {
    const found = states.find(({ name }) => name === component);
    const { state = "unknown", copies = 0 } = found ?? {};
    const own = index === 0 ? copy : further[index - 1]?.copy;
    const gpus = copies * (own?.accelerators ?? 0);
    reserved += gpus;
    return `component  ${modelId}: ${state}, ${copies} cop${copies === 1 ? "y" : "ies"}${priceOf(gpus)}`;
  });
  const all = instances * gpusOfOne;
  const idle = all - reserved;
  if (served.length === 0 || pool === undefined || idle <= 0) return lines;
  return [...lines, `idle       ${idle} of ${all} GPUs${priceOf(idle)}`];
}
