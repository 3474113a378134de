import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { indexedThings, tagsCall, withThings, type TaggedThing } from "./tag-calls.ts";

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
  tagsCall(call: ApiRequest): ApiReply | undefined {
    return tagsCall(
      call,
      this.#kind,
      (_, arn) => this.#things.get(arn) ?? this.#refuse("Could not find", arn),
    );
  }

  /** The reply of GetResources with these among it, where it asks for them. */
  indexed(call: ApiRequest, reply: ApiReply): ApiReply {
    const arn = (thing: Thing) => this.arn(thing);
    return withThings(reply, indexedThings(call, this.#kind, { things: this.all(), arn }));
  }

  #refuse(what: string, arn: string): never {
    throw new ApiError("ValidationException", `${what} ${this.#kind} "${arn}".`);
  }
}
