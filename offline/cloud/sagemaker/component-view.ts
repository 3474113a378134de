import type { ApiReply, ApiRequest } from "../proxy/api-request.ts";
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

/** An answer of the JSON protocol. */
export function json(body: object): ApiReply {
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  };
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

/** The calls about tags, where they are about those of a component. */
export function tagsCall(
  call: ApiRequest,
  find: (name: string) => Component,
): ApiReply | undefined {
  const name = /:inference-component\/(.+)$/.exec(String(call.parameters["ResourceArn"]))?.[1];
  if (name === undefined || !/^(Add|Delete|List)Tags$/.test(call.operation)) return undefined;
  const { tags } = find(name);
  const { Tags = [], TagKeys = [] } = call.parameters as {
    Tags?: { Key: string; Value: string }[];
    TagKeys?: string[];
  };
  for (const { Key, Value } of Tags) tags.set(Key, Value);
  for (const key of TagKeys) tags.delete(key);
  return json(call.operation === "DeleteTags" ? {} : { Tags: tagList(tags) });
}

/** The reply of GetResources with the components that it asks for, which moto does not know. */
export function indexed(
  components: Iterable<Component>,
  call: ApiRequest,
  reply: ApiReply,
): ApiReply {
  const { ResourceTypeFilters: types = [], TagFilters = [] } = call.parameters as {
    ResourceTypeFilters?: string[];
    TagFilters?: { Key: string; Values?: string[] }[];
  };
  const isAsked =
    types.length === 0 || types.some((type) => /^sagemaker(:inference-component)?$/.test(type));
  if (!isAsked || reply.status >= 300) return reply;
  const matches = ({ tags }: Component) =>
    TagFilters.every(({ Key, Values = [] }) => {
      const value = tags.get(Key);
      return value !== undefined && (Values.length === 0 || Values.includes(value));
    });
  const found = [...components]
    .filter((each) => each.region === call.region && matches(each))
    .map(({ region, name, tags }) => ({
      ResourceARN: componentArn(region, name),
      Tags: tagList(tags),
    }));
  return withThings(reply, found);
}

/** The reply of GetResources with more things in it. */
export function withThings(reply: ApiReply, found: readonly object[]): ApiReply {
  if (found.length === 0 || reply.status >= 300) return reply;
  const answer = JSON.parse(reply.body.toString()) as { ResourceTagMappingList?: object[] };
  const ResourceTagMappingList = [...(answer.ResourceTagMappingList ?? []), ...found];
  return { ...json({ ...answer, ResourceTagMappingList }), status: reply.status };
}

function tagList(tags: ReadonlyMap<string, string>): object[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}
