import { join } from "node:path";
import { copiesOf, instancesFor } from "./component-instances.ts";
import type { Component, Specification } from "./component-view.ts";
import { gpusOf } from "./endpoint-quotas.ts";
import type { EndpointsParts } from "./endpoints.ts";
import { findEndpoint, type HostedContainer, type HostedVariant } from "./hosted-endpoint.ts";
import { provision, ProvisionFailure } from "./provision.ts";
import type { ServingProcess } from "./serving-process.ts";

/** What a copy is started with. */
interface StartedCopy {
  readonly specification: Specification;
  readonly number: number;
  /** The components that the endpoint's instances have to hold too. */
  readonly beside: readonly Component[];
}

/** Whether the instances that a variant may have take the copies of a component besides those that they have. */
function fitsBeside(
  { InstanceType = "", ManagedInstanceScaling }: HostedVariant,
  component: Component,
  beside: readonly Component[],
): boolean {
  const gpus =
    component.specification.ComputeResourceRequirements?.NumberOfAcceleratorDevicesRequired ?? 0;
  if (gpus > gpusOf(InstanceType)) return false;
  const copies = [...beside, component].flatMap(copiesOf);
  const needed = instancesFor(copies, Math.max(1, gpusOf(InstanceType)));
  return needed <= (ManagedInstanceScaling?.MaxInstanceCount ?? needed);
}

/**
 * Starts a container of a component on its endpoint, and waits until it is well.
 *
 * @throws ProvisionFailure with SageMaker's reason
 */
export async function startCopy(
  parts: EndpointsParts,
  component: Component,
  { specification, number, beside }: StartedCopy,
): Promise<ServingProcess> {
  const { region, name, endpoint } = component;
  const { signal } = component.abort;
  const { moto } = parts;
  const found = await findEndpoint(moto, region, endpoint);
  const [variant] = found?.variants ?? [];
  if (found === undefined || variant === undefined) throw new ProvisionFailure("No endpoint.");
  const { ModelName = "", StartupParameters } = specification;
  if (!fitsBeside(variant, { ...component, specification }, beside)) {
    throw new ProvisionFailure(
      "There is not enough hardware resources on the instances for this endpoint to create a copy of the inference component.",
    );
  }
  const container = await moto.ask<HostedContainer>("container", { region, model: ModelName });
  const folder = join(parts.folder, `${name}-copy-${number}`);
  const group = `/aws/sagemaker/InferenceComponents/${name}`;
  const stream = `${variant.VariantName}/copy-${number}`;
  const log = (line: string) => {
    void moto.ask("log", { region, group, stream, lines: [line] }).catch(() => undefined);
  };
  const seconds = StartupParameters?.ContainerStartupHealthCheckTimeoutInSeconds;
  const patience =
    seconds === undefined ? {} : { ContainerStartupHealthCheckTimeoutInSeconds: seconds };
  const served = { ...variant, ...patience, container };
  const { serving } = await provision(served, { ...parts, folder, log, signal });
  if (!signal.aborted) return serving;
  await serving.stop();
  throw new ProvisionFailure("The endpoint is gone.");
}
