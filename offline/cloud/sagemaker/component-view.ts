import type { ApiRequest } from "../proxy/api-request.ts";
import type { ServingProcess } from "./serving-process.ts";

/** What a component runs, as CreateInferenceComponent has it. */
export interface Specification {
  readonly ModelName?: string;
  readonly StartupParameters?: { readonly ContainerStartupHealthCheckTimeoutInSeconds?: number };
  readonly ComputeResourceRequirements?: {
    readonly NumberOfAcceleratorDevicesRequired?: number;
    readonly MinMemoryRequiredInMb?: number;
  };
}

/** An inference component, and the one container that stands for all of its copies. */
export interface Component {
  readonly region: string;
  readonly name: string;
  readonly endpoint: string;
  specification: Specification;
  desired: number;
  current: number;
  status: string;
  failure?: string;
  readonly created: Date;
  /** Cloud time of the last request, milliseconds. */
  lastAsked: number;
  readonly tags: Map<string, string>;
  readonly abort: AbortController;
  serving?: ServingProcess | undefined;
  work?: Promise<void>;
}

/** The ARN of a component in the emulated account. */
export function componentArn(region: string, name: string): string {
  return `arn:aws:sagemaker:${region}:123456789012:inference-component/${name}`;
}

function summary(component: Component) {
  const { region, name, endpoint, status, created } = component;
  const seconds = created.getTime() / 1000;
  return {
    InferenceComponentName: name,
    InferenceComponentArn: componentArn(region, name),
    EndpointName: endpoint,
    EndpointArn: `arn:aws:sagemaker:${region}:123456789012:endpoint/${endpoint}`,
    VariantName: "AllTraffic",
    InferenceComponentStatus: status,
    CreationTime: seconds,
    LastModifiedTime: seconds,
  };
}

/** What DescribeInferenceComponent says. */
export function described(component: Component): object {
  const { specification, desired, current, failure } = component;
  return {
    ...summary(component),
    Specification: specification,
    RuntimeConfig: { DesiredCopyCount: desired, CurrentCopyCount: current },
    ...(failure === undefined ? {} : { FailureReason: failure }),
  };
}

/** What ListInferenceComponents says. */
export function allSummaries(components: Iterable<Component>, call: ApiRequest): object {
  const { NameContains = "", EndpointNameEquals } = call.parameters as {
    NameContains?: string;
    EndpointNameEquals?: string;
  };
  const wanted = ({ region, name, endpoint }: Component) =>
    region === call.region &&
    name.includes(NameContains) &&
    (EndpointNameEquals === undefined || endpoint === EndpointNameEquals);
  return { InferenceComponents: [...components].filter(wanted).map(summary) };
}
