import type { ApiReply, ApiRequest } from "../proxy/api-request.ts";
import { json } from "./json-reply.ts";

type Tags = Map<string, string>;

/** A thing that is known by its name in a region, and carries tags. */
export interface TaggedThing {
  readonly region: string;
  readonly name: string;
  readonly tags: Tags;
}

function tagList(tags: ReadonlyMap<string, string>): object[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/**
 * The calls about tags, where they are about a thing of the kind.
 *
 * @param kind as ARNs have it: `notebook-instance`
 */
export function tagsCall(
  call: ApiRequest,
  kind: string,
  find: (name: string, arn: string) => { readonly tags: Tags },
): ApiReply | undefined {
  const arn = String(call.parameters["ResourceArn"]);
  const resource = arn.split(":").slice(5).join(":");
  if (!resource.startsWith(`${kind}/`)) return undefined;
  if (!/^(Add|Delete|List)Tags$/.test(call.operation)) return undefined;
  const { tags } = find(resource.slice(kind.length + 1), arn);
  const { Tags = [], TagKeys = [] } = call.parameters as {
    Tags?: { Key: string; Value: string }[];
    TagKeys?: string[];
  };
  for (const { Key, Value } of Tags) tags.set(Key, Value);
  for (const key of TagKeys) tags.delete(key);
  return json(call.operation === "DeleteTags" ? {} : { Tags: tagList(tags) });
}

/** What GetResources tells of things of a kind, where it asks for them. */
export function indexedThings<Thing extends TaggedThing>(
  call: ApiRequest,
  kind: string,
  { things, arn }: { readonly things: Iterable<Thing>; readonly arn: (thing: Thing) => string },
): readonly object[] {
  const { ResourceTypeFilters: types = [], TagFilters = [] } = call.parameters as {
    ResourceTypeFilters?: string[];
    TagFilters?: { Key: string; Values?: string[] }[];
  };
  const isAsked =
    types.length === 0 || types.includes("sagemaker") || types.includes(`sagemaker:${kind}`);
  if (!isAsked) return [];
  const matches = ({ tags }: Thing) =>
    TagFilters.every(({ Key, Values = [] }) => {
      const value = tags.get(Key);
      return value !== undefined && (Values.length === 0 || Values.includes(value));
    });
  return [...things]
    .filter((each) => each.region === call.region && matches(each))
    .map((each) => ({ ResourceARN: arn(each), Tags: tagList(each.tags) }));
}

/** The reply of GetResources with more things in it. */
export function withThings(reply: ApiReply, found: readonly object[]): ApiReply {
  if (found.length === 0 || reply.status >= 300) return reply;
  const answer = JSON.parse(reply.body.toString()) as { ResourceTagMappingList?: object[] };
  const ResourceTagMappingList = [...(answer.ResourceTagMappingList ?? []), ...found];
  return { ...json({ ...answer, ResourceTagMappingList }), status: reply.status };
}
