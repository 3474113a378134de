import type { Moto } from "../moto/moto.ts";
import type { DataCaptureConfig } from "./data-capture.ts";
import type { DeploymentConfig } from "./rollout.ts";

/** A container of a model, as CreateModel has it. */
export interface HostedContainer {
  readonly Image?: string;
  readonly Environment?: Readonly<Record<string, string>>;
  /** One archive, in place of files below a prefix. */
  readonly ModelDataUrl?: string;
  readonly ModelDataSource?: {
    readonly S3DataSource?: { readonly S3Uri?: string; readonly CompressionType?: string };
  };
}

/** Of a variant without instances, as CreateEndpointConfig has it. */
export interface ServerlessConfig {
  /** Of one container, MiB. */
  readonly MemorySizeInMB: number;
  readonly MaxConcurrency: number;
  readonly ProvisionedConcurrency?: number;
}

/** A variant of an endpoint's configuration, with its container. */
export interface HostedVariant {
  readonly VariantName: string;
  /** None where inference components bring the models. */
  readonly ModelName?: string;
  readonly ManagedInstanceScaling?: {
    readonly MinInstanceCount?: number;
    readonly MaxInstanceCount?: number;
  };
  readonly InstanceType?: string;
  /** In place of instances. */
  readonly ServerlessConfig?: ServerlessConfig;
  /** Types to try in the order of their priority, in place of the one. */
  readonly InstancePools?: readonly { readonly InstanceType: string; readonly Priority: number }[];
  readonly InitialInstanceCount?: number;
  readonly InitialVariantWeight?: number;
  readonly ContainerStartupHealthCheckTimeoutInSeconds?: number;
  readonly container: HostedContainer;
}

/** An endpoint as moto keeps it; `config` and `variants` are those that it is to run. */
export interface HostedEndpoint {
  readonly region: string;
  readonly name: string;
  readonly status: string;
  readonly config: string;
  readonly variants: readonly HostedVariant[];
  /** Those that get copies of requests. */
  readonly shadows?: readonly HostedVariant[];
  readonly async?: {
    readonly OutputConfig?: { readonly S3OutputPath?: string; readonly S3FailurePath?: string };
  } | null;
  readonly capture?: DataCaptureConfig | null;
  /** Weights that its variants are to have from now on, by name; none while nothing but a configuration changes. */
  readonly reweighed?: Readonly<Record<string, number>> | null;
  /** How an update moves traffic, and what rolls it back. */
  readonly deployment?: DeploymentConfig | null;
}

/** An endpoint as moto keeps it. */
export async function findEndpoint(
  moto: Moto,
  region: string,
  name: string,
): Promise<HostedEndpoint | undefined> {
  const all = await moto.ask<HostedEndpoint[]>("endpoints");
  return all.find((each) => each.region === region && each.name === name);
}

/** What tells an endpoint from all others. */
export function endpointKey({ region, name }: Pick<HostedEndpoint, "region" | "name">): string {
  return `${region}/${name}`;
}

/** Seconds that SageMaker gives a container when its configuration does not say. */
export const defaultStartupSeconds = 600;
