import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { json } from "./component-view.ts";

/** A thing that is known by its name in a region, and carries tags. */
export interface TaggedThing {
  readonly region: string;
  readonly name: string;
  readonly tags: Map<string, string>;
}

function listed(tags: ReadonlyMap<string, string>): object[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/** Things of one kind of SageMaker that moto does not keep, or not well enough, by region and name, with their tags. */
export class TaggedNames<Thing extends TaggedThing> {
  readonly #kind: string;
  readonly #things = new Map<string, Thing>();

  /** @param kind as ARNs have it: `notebook-instance` */
  constructor(kind: string) {
    this.#kind = kind;
  }

  arn({ region, name }: Pick<TaggedThing, "region" | "name">): string {
    return `arn:aws:sagemaker:${region}:123456789012:${this.#kind}/${name}`;
  }

  all(): IterableIterator<Thing> {
    return this.#things.values();
  }

  /** Adds what a call makes, with its tags; the ARN. */
  add(call: ApiRequest, thing: Thing): string {
    const arn = this.arn(thing);
    if (this.#things.has(arn)) this.#refuse(`Cannot create already existing`, arn);
    for (const { Key, Value } of (call.parameters["Tags"] ?? []) as {
      Key: string;
      Value: string;
    }[]) {
      thing.tags.set(Key, Value);
    }
    this.#things.set(arn, thing);
    return arn;
  }

  get({ region }: ApiRequest, name: string): Thing {
    const arn = this.arn({ region, name });
    return this.#things.get(arn) ?? this.#refuse("Could not find", arn);
  }

  remove(thing: Thing): void {
    this.#things.delete(this.arn(thing));
  }

  /** What a List call names: all of its region, or those with a text in their name. */
  named({ region, parameters }: ApiRequest): readonly Thing[] {
    const { NameContains = "" } = parameters as { NameContains?: string };
    return [...this.all()].filter(
      (each) => each.region === region && each.name.includes(NameContains),
    );
  }

  /** The calls about tags, where they are about one of these. */
  tagsCall(call: ApiRequest): object | undefined {
    const arn = String(call.parameters["ResourceArn"]);
    const isOurs = arn.split(":")[5]?.startsWith(`${this.#kind}/`) === true;
    if (!isOurs || !/^(Add|Delete|List)Tags$/.test(call.operation)) return undefined;
    const { tags } = this.#things.get(arn) ?? this.#refuse("Could not find", arn);
    const { Tags = [], TagKeys = [] } = call.parameters as {
      Tags?: { Key: string; Value: string }[];
      TagKeys?: string[];
    };
    for (const { Key, Value } of Tags) tags.set(Key, Value);
    for (const key of TagKeys) tags.delete(key);
    return call.operation === "DeleteTags" ? {} : { Tags: listed(tags) };
  }

  /** The reply of GetResources with these among it, where it asks for them. */
  indexed(call: ApiRequest, reply: ApiReply): ApiReply {
    const { ResourceTypeFilters: types = [], TagFilters = [] } = call.parameters as {
      ResourceTypeFilters?: string[];
      TagFilters?: { Key: string; Values?: string[] }[];
    };
    const isAsked =
      types.length === 0 ||
      types.includes("sagemaker") ||
      types.includes(`sagemaker:${this.#kind}`);
    if (!isAsked || reply.status >= 300) return reply;
    const found = [...this.all()].filter(
      ({ region, tags }) =>
        region === call.region &&
        TagFilters.every(({ Key, Values = [] }) => {
          const value = tags.get(Key);
          return value !== undefined && (Values.length === 0 || Values.includes(value));
        }),
    );
    if (found.length === 0) return reply;
    const answer = JSON.parse(reply.body.toString()) as { ResourceTagMappingList?: object[] };
    const ResourceTagMappingList = [
      ...(answer.ResourceTagMappingList ?? []),
      ...found.map((each) => ({ ResourceARN: this.arn(each), Tags: listed(each.tags) })),
    ];
    return { ...json({ ...answer, ResourceTagMappingList }), status: reply.status };
  }

  #refuse(what: string, arn: string): never {
    throw new ApiError("ValidationException", `${what} ${this.#kind} "${arn}".`);
  }
}
