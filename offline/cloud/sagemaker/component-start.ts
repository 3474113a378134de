import { join } from "node:path";
import type { Moto } from "../moto/moto.ts";
import type { Component, Specification } from "./component-view.ts";
import { gpusOf } from "./endpoint-quotas.ts";
import type { EndpointsParts } from "./endpoints.ts";
import type { HostedContainer, HostedEndpoint } from "./hosted-endpoint.ts";
import { provision, ProvisionFailure } from "./provision.ts";
import type { ServingProcess } from "./serving-process.ts";

/** An endpoint as moto keeps it. */
export async function findEndpoint(
  moto: Moto,
  region: string,
  name: string,
): Promise<HostedEndpoint | undefined> {
  const all = await moto.ask<HostedEndpoint[]>("endpoints");
  return all.find((each) => each.region === region && each.name === name);
}

/**
 * Starts a container of a component on its endpoint, and waits until it is well.
 *
 * @throws ProvisionFailure with SageMaker's reason
 */
export async function startCopy(
  parts: EndpointsParts,
  { region, name, endpoint, abort: { signal } }: Component,
  { specification, number }: { readonly specification: Specification; readonly number: number },
): Promise<ServingProcess> {
  const { moto } = parts;
  const found = await findEndpoint(moto, region, endpoint);
  const [variant] = found?.variants ?? [];
  if (found === undefined || variant === undefined) throw new ProvisionFailure("No endpoint.");
  const { ModelName = "", StartupParameters, ComputeResourceRequirements } = specification;
  const gpus = ComputeResourceRequirements?.NumberOfAcceleratorDevicesRequired ?? 0;
  if (gpus > gpusOf(variant.InstanceType ?? "")) {
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
  const variants = [{ ...variant, ...patience, container }];
  const { serving } = await provision({ ...found, variants }, { ...parts, folder, log, signal });
  if (!signal.aborted) return serving;
  await serving.stop();
  throw new ProvisionFailure("The endpoint is gone.");
}
