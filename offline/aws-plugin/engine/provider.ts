import { OfflineError } from "../../offline-error.ts";
import { findFunction, findResource } from "../types/registry.ts";
import { autoName, type Autonaming } from "./auto-name.ts";
import { InputCheck, type InputFailure } from "./check.ts";
import { Clients } from "./clients.ts";
import { changedInputs, diffInputs, type Change } from "./diff.ts";
import { inputsOf, observe } from "./observed.ts";
import { previewCreate, previewUpdate } from "./preview.ts";
import type { Context, ResourceType } from "./resource-type.ts";
import type { Settings } from "./settings.ts";
import { mergeTags, tagChange } from "./tags.ts";
import { waitUntil } from "./waiting.ts";
import { hasUnknown, unknown, type Properties } from "./wire.ts";

/** Which resource a call is about. */
export interface Subject {
  readonly urn: string;
  /** Seconds; 0 when the program set none. */
  readonly timeoutSeconds: number;
}

/** A resource as it is in the state. */
export interface Resource {
  readonly id: string;
  readonly outputs: Properties;
  readonly inputs: Properties;
}

/** A resource that was made and did not come up: it is in the state, and the next update tries again. */
export class PartialFailure extends Error {
  override readonly name = "PartialFailure";
  readonly resource: Resource;

  constructor(resource: Resource, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.resource = resource;
  }
}

/** How long something just made may stay invisible, s. */
const visibleSeconds = 30;

/** The type token in a URN: `urn:pulumi:stack::project::parent$type::name`. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== unknown ? value : undefined;
}

/** The provider: what every type has in common, over what its file says of it. */
export class AwsProvider {
  readonly #settings: Settings;
  readonly #log: (urn: string, message: string) => void;
  readonly #abort = new AbortController();
  readonly #clients = new Map<string, Clients>();

  constructor(settings: Settings, log: (urn: string, message: string) => void) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Asks every wait to end. */
  cancel(): void {
    this.#abort.abort(new OfflineError("The operation was cancelled."));
  }

  async check(
    { urn }: Subject,
    olds: Properties,
    news: Properties,
    seed: Uint8Array,
    wish: Autonaming | undefined,
  ): Promise<{ readonly inputs: Properties; readonly failures: readonly InputFailure[] }> {
    const type = await findResource(typeOf(urn));
    const check = new InputCheck(type.token);
    const defaults: string[] = [];
    const inputs = { ...check.fields(type.inputs, news, "", defaults) };
    this.#name(type, urn, { olds, inputs, defaults }, check, seed, wish);
    if (type.regional !== false && inputs["region"] === undefined) {
      inputs["region"] = this.#settings.region;
      defaults.push("region");
    }
    if (type.tag !== undefined) {
      inputs["tagsAll"] = mergeTags(this.#settings.defaultTags, inputs["tags"]);
    }
    for (const [key, reason] of Object.entries(type.check?.(inputs) ?? {})) check.fail(key, reason);
    return {
      inputs: { ...inputs, __defaults: defaults },
      failures: check.failures,
    };
  }

  async diff(
    { urn }: Subject,
    old: Resource,
    news: Properties,
  ): Promise<{ readonly changes: readonly Change[]; readonly deleteBeforeReplace: boolean }> {
    const type = await findResource(typeOf(urn));
    const changes = diffInputs(type.inputs, baseline(type, old, news), news);
    return { changes, deleteBeforeReplace: type.deleteBeforeReplace === true };
  }

  async create(subject: Subject, inputs: Properties, preview: boolean): Promise<Resource> {
    const type = await findResource(typeOf(subject.urn));
    if (preview) return { id: "", outputs: previewCreate(type, inputs), inputs };
    const context = this.#context(subject, inputs);
    const { id, finish, known } = await type.create(context, inputs);
    const state = { ...inputs, ...known };
    try {
      await finish?.();
      const found = await waitUntil(context, `AWS shows ${id}`, visibleSeconds, () =>
        type.read(context, id, state),
      );
      return { id, outputs: this.#outputs(type, id, state, found), inputs };
    } catch (error) {
      // What it is now, so that the next update sees what is still to be done.
      const found = await type.read(context, id, state).catch(() => undefined);
      const outputs = this.#outputs(type, id, state, found ?? {});
      throw new PartialFailure({ id, outputs, inputs }, error);
    }
  }

  async read(subject: Subject, old: Resource): Promise<Resource | undefined> {
    const type = await findResource(typeOf(subject.urn));
    const imported = Object.keys(old.outputs).length === 0;
    const [, id = old.id, region] =
      imported && type.regional !== false
        ? (/^(.+?)(?:@([a-z]{2}(?:-[a-z]+)+-\d))?$/.exec(old.id) ?? [])
        : [];
    const context = this.#context(subject, { region, ...old.outputs });
    const found = await type.read(context, id, old.outputs);
    if (found === undefined) return undefined;
    const now = text(found["id"]) ?? id;
    const where = type.regional === false ? {} : { region: context.region };
    const outputs = this.#outputs(type, now, { ...where, ...old.outputs }, found);
    return { id: now, outputs, inputs: inputsOf(type, old.inputs, outputs) };
  }

  async update(
    subject: Subject,
    old: Resource,
    news: Properties,
    preview: boolean,
  ): Promise<Resource> {
    const type = await findResource(typeOf(subject.urn));
    const olds = baseline(type, old, news);
    const changed = changedInputs(type.inputs, olds, news);
    if (preview) {
      const outputs = previewUpdate(type, old.outputs, news, changed);
      return { id: old.id, outputs, inputs: news };
    }
    const context = this.#context(subject, { ...old.outputs, ...news });
    const state = { ...old.outputs, ...news };
    const tags = tagChange(old.outputs["tagsAll"] ?? olds["tagsAll"], news["tagsAll"]);
    if (tags !== undefined) await type.tag?.(context, old.id, tags, state);
    const undone = changedInputs(type.inputs, news, old.outputs, true);
    await type.update?.(context, old.id, {
      olds: { ...olds, ...old.outputs },
      news,
      changed: new Set([...changed, ...undone]),
    });
    const known = previewUpdate(type, old.outputs, news, new Set());
    const found = await type.read(context, old.id, known);
    if (found === undefined)
      throw new OfflineError(`${old.id} is gone.`, "Refresh the stack: pulumi refresh");
    return { id: old.id, outputs: this.#outputs(type, old.id, known, found), inputs: news };
  }

  async delete(subject: Subject, old: Resource): Promise<void> {
    const type = await findResource(typeOf(subject.urn));
    await type.delete(this.#context(subject, old.outputs), old.id, old.outputs);
  }

  async invoke(
    token: string,
    args: Properties,
  ): Promise<{
    readonly result: Properties;
    readonly secrets: ReadonlySet<string>;
    readonly failures: readonly InputFailure[];
  }> {
    const type = await findFunction(token);
    const secrets = new Set(type.secrets ?? []);
    const check = new InputCheck(token);
    const inputs = check.fields(type.inputs, args);
    if (check.failures.length > 0) return { result: {}, secrets, failures: check.failures };
    if (hasUnknown(inputs)) {
      throw new OfflineError(`${token} was called with values that are not known yet.`);
    }
    const context = this.#context({ urn: "", timeoutSeconds: 0 }, inputs);
    const found = await type.invoke(context, inputs);
    const result = { id: context.region, region: context.region, ...inputs, ...found };
    return { result, secrets, failures: [] };
  }

  #name(
    type: ResourceType,
    urn: string,
    given: { olds: Properties; inputs: Record<string, unknown>; defaults: string[] },
    check: InputCheck,
    seed: Uint8Array,
    wish: Autonaming | undefined,
  ): void {
    const { olds, inputs, defaults } = given;
    if (type.name === undefined || inputs[type.name.property] !== undefined) return;
    const { property } = type.name;
    const before = olds["__defaults"];
    const wasAutomatic = !Array.isArray(before) || before.includes(property);
    const choice =
      typeof olds[property] === "string" && wasAutomatic
        ? { name: olds[property] }
        : autoName(nameOf(urn), type.name, seed, wish);
    if ("problem" in choice) check.fail(property, choice.problem);
    else {
      inputs[property] = choice.name;
      defaults.push(property);
    }
  }

  #outputs(type: ResourceType, id: string, known: Properties, found: Properties): Properties {
    return { ...observe(type, known, found, this.#settings.defaultTags), id };
  }

  #context({ urn, timeoutSeconds }: Subject, { region }: Properties): Context {
    const where = text(region) ?? this.#settings.region;
    const clients = this.#clients.get(where) ?? new Clients(this.#settings, where);
    this.#clients.set(where, clients);
    return {
      region: where,
      clients,
      timeoutSeconds,
      signal: this.#abort.signal,
      log: (message) => {
        this.#log(urn, message);
      },
    };
  }
}

/** What new inputs are compared with: the old inputs, and the state for those that were not given before. */
function baseline(type: ResourceType, old: Resource, news: Properties): Properties {
  const entries = Object.keys(type.inputs).map((key) => [
    key,
    old.inputs[key] ?? (news[key] === undefined ? undefined : old.outputs[key]),
  ]);
  return Object.fromEntries(entries) as Properties;
}
