import type { AccountScope } from "../adapters/account-scope.ts";
import {
  readComponentStates,
  type EndpointState,
  type VariantState,
} from "../adapters/endpoint/endpoint-state.ts";
import { componentFacts } from "./component-facts.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** One thing of an endpoint, and what is said of it. */
export interface EndpointFact {
  /** Such as "variant" or "component". */
  readonly what: string;
  readonly text: string;
}

/** A fact as a line of `berth status`. */
export function factLine({ what, text }: EndpointFact): string {
  return `${what.padEnd(10)} ${text}`;
}

function instancesText({ instances, wanted }: Pick<VariantState, "instances" | "wanted">): string {
  const coming = wanted === instances ? "" : `, and ${wanted} are asked for`;
  return `${instances} instance${instances === 1 ? "" : "s"}${coming}`;
}

/** The endpoint itself: its state, what it runs on, and what became of its last change. */
export function endpointFacts(
  outputs: BerthOutputs,
  endpoint: EndpointState,
): readonly EndpointFact[] {
  const { instanceType = "?", endpointName = "?" } = outputs;
  const { state, why, nextConfig } = endpoint;
  // What serves goes on after a change that failed: then the reason is of that change.
  const isUndone = state === "InService" && why !== undefined;
  const more = why === undefined || isUndone ? "" : ` (${why})`;
  const text = `${state}${more}: ${endpointName}${serverlessText(endpoint) ?? instanceText(endpoint, instanceType)}`;
  return [
    { what: "endpoint", text },
    ...(nextConfig === undefined ? [] : [{ what: "moves to", text: nextConfig }]),
    ...(isUndone ? [{ what: "undone", text: `its last change failed: ${why}` }] : []),
  ];
}

function serverlessText({ serverless }: EndpointState): string | undefined {
  if (serverless === undefined) return undefined;
  const { memoryMiB, concurrency, warm } = serverless;
  const kept = warm === 0 ? "" : `, ${warm} kept warm`;
  return `, serverless, ${concurrency} at once with ${memoryMiB} MiB each${kept}`;
}

function instanceText(
  { instances, allInstances, wanted = allInstances }: EndpointState,
  instanceType: string,
): string {
  const count = instances === undefined ? "" : `${instances} x `;
  const coming = wanted === allInstances ? "" : `, ${wanted ?? "?"} are asked for`;
  return ` on ${count}${instanceType}${coming}`;
}

/** Each of several variants with its share of the requests. */
function variantFacts(
  { served = [] }: BerthOutputs,
  variants: readonly VariantState[],
): readonly EndpointFact[] {
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  return served.map(({ modelId, variant }) => {
    const found = variants.find(({ name }) => name === variant);
    const { weight, instances, wanted } = found ?? { weight: 0, instances: 0, wanted: 0 };
    const share = total === 0 ? 0 : Math.round((100 * weight) / total);
    const text = `${variant ?? "?"}: ${share} % of the requests, ${modelId} on ${instancesText({ instances, wanted })}`;
    return { what: "variant", text };
  });
}

/** Variants that get copies of requests; their weight is the share, against 1 of all. */
function shadowFacts(
  { plan }: BerthOutputs,
  shadows: readonly VariantState[],
): readonly EndpointFact[] {
  const planned = plan?.endpoint?.further ?? [];
  return shadows.map(({ name, weight, ...counts }) => {
    const model = planned.find((each) => each.name === name)?.modelId ?? "its model";
    const share = Math.round(weight * 100);
    const text = `${name}: copies of ${share} % of the requests, ${model} on ${instancesText(counts)}`;
    return { what: "shadow", text };
  });
}

/** What an endpoint serves besides one model: variants, shadows, or components with what each has of the hour. */
export async function servedFacts(
  scope: AccountScope,
  outputs: BerthOutputs,
  { variants = [], shadows = [], allInstances: instances = 0 }: EndpointState,
): Promise<readonly EndpointFact[]> {
  const names = (outputs.served ?? []).flatMap(({ component }) => component ?? []);
  if (names.length > 0) {
    return componentFacts({ outputs, states: await readComponentStates(scope, names), instances });
  }
  return [...variantFacts(outputs, variants), ...shadowFacts(outputs, shadows)];
}
