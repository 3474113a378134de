import {
  DescribeEndpointCommand,
  SageMakerClient,
  type ProductionVariantSummary,
} from "@aws-sdk/client-sagemaker";
import { findComponent } from "../../../provider/adapters/component-control.ts";
import type { AccountScope } from "../account-scope.ts";

/** What SageMaker says of an endpoint; "gone" once it is not there, "unknown" when it could not be asked. */
export interface EndpointState {
  readonly state: string;
  /** Why it failed, or why it is not known. */
  readonly why?: string | undefined;
  /** The configuration that serves. */
  readonly configName?: string | undefined;
  /** None where it has containers that come with the requests. */
  readonly instances?: number | undefined;
  /** Instances, whether a model is on them or not. */
  readonly allInstances?: number | undefined;
  /** What its containers have, where it has no instances. */
  readonly serverless?: ServerlessState | undefined;
  /** Instances that it is to have. */
  readonly wanted?: number | undefined;
  /** The configuration that it moves to, while it does. */
  readonly nextConfig?: string | undefined;
  /** Its variants, where there are several. */
  readonly variants?: readonly VariantState[] | undefined;
  /** Variants that get copies of requests. */
  readonly shadows?: readonly VariantState[] | undefined;
}

/** Of an endpoint without instances. */
export interface ServerlessState {
  /** Of one container, MiB. */
  readonly memoryMiB: number;
  readonly concurrency: number;
  /** Containers that are kept warm. */
  readonly warm: number;
}

/** A variant as SageMaker has it. */
export interface VariantState {
  readonly name: string;
  readonly weight: number;
  readonly instances: number;
  /** Instances that it is to have. */
  readonly wanted: number;
}

/** Undefined where there are fewer than `least`. */
function variantsOf(
  summaries: readonly ProductionVariantSummary[] = [],
  least: number,
): readonly VariantState[] | undefined {
  if (summaries.length < least) return undefined;
  return summaries.map((each) => {
    const instances = each.CurrentInstanceCount ?? 0;
    const { VariantName: name = "?", CurrentWeight: weight = 0 } = each;
    return { name, weight, instances, wanted: each.DesiredInstanceCount ?? instances };
  });
}

function serverlessOf(summary: ProductionVariantSummary | undefined): ServerlessState | undefined {
  const found = summary?.CurrentServerlessConfig;
  if (found === undefined) return undefined;
  const { MemorySizeInMB: memoryMiB = 0, MaxConcurrency: concurrency = 0 } = found;
  return { memoryMiB, concurrency, warm: found.ProvisionedConcurrency ?? 0 };
}

/** Copies of the model that answer now; undefined where the endpoint has the model itself. */
async function copiesOf(
  client: SageMakerClient,
  component: string | undefined,
): Promise<number | undefined> {
  return component === undefined ? undefined : (await findComponent(client, component))?.copies;
}

/**
 * Asks SageMaker what has become of an endpoint.
 *
 * @param component the inference component that brings its model; without a copy, its instances are as good as none
 */
export async function readEndpointState(
  scope: AccountScope,
  endpointName: string,
  component?: string,
): Promise<EndpointState> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts: 2 });
  try {
    const found = await client.send(new DescribeEndpointCommand({ EndpointName: endpointName }), {
      abortSignal: AbortSignal.timeout(10_000),
    });
    const copies = await copiesOf(client, component);
    return {
      state: found.EndpointStatus ?? "unknown",
      why: found.FailureReason,
      configName: found.EndpointConfigName,
      instances: copies === 0 ? 0 : found.ProductionVariants?.[0]?.CurrentInstanceCount,
      allInstances: found.ProductionVariants?.[0]?.CurrentInstanceCount,
      serverless: serverlessOf(found.ProductionVariants?.[0]),
      wanted: found.ProductionVariants?.[0]?.DesiredInstanceCount,
      nextConfig: found.PendingDeploymentSummary?.EndpointConfigName,
      variants: variantsOf(found.ProductionVariants, 2),
      shadows: variantsOf(found.ShadowProductionVariants, 1),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return /Could not find/i.test(why) ? { state: "gone" } : { state: "unknown", why };
  } finally {
    client.destroy();
  }
}

/** The state of an inference component, and its copies that answer now. */
export interface ComponentState {
  readonly name: string;
  readonly state: string;
  readonly copies: number;
  /** Why it failed, or why its last change was taken back; empty when nothing did. */
  readonly failure: string;
}

/** Asks SageMaker for components; one that is not there is "gone", one that could not be asked "unknown". */
export async function readComponentStates(
  scope: AccountScope,
  names: readonly string[],
): Promise<readonly ComponentState[]> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts: 2 });
  try {
    return await Promise.all(
      names.map(async (name): Promise<ComponentState> => {
        try {
          const found = await findComponent(client, name);
          const { state = "gone", copies = 0, failure = "" } = found ?? {};
          return { name, state, copies, failure };
        } catch {
          return { name, state: "unknown", copies: 0, failure: "" };
        }
      }),
    );
  } finally {
    client.destroy();
  }
}
