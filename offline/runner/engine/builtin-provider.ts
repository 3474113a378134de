import type { ReadStackOutputs, ResourceState } from "../contract.ts";
import { Secret } from "./property-value.ts";
import type { PropertyMap } from "./property-value.ts";
import { containsSecret } from "./property-diff.ts";
import type { ConfigurableProvider } from "./provider-registry.ts";
import type { Applied, Checked, Diff, Invoked, OldState, ReadState, Subject } from "./provider.ts";

/** The type by which a program reads another stack's outputs. */
const stackReferenceType = "pulumi:pulumi:StackReference";

/** The `pulumi` package, which the engine serves itself: StackReference, and the functions behind it. */
export class BuiltinProvider implements ConfigurableProvider {
  readonly #readOutputs: ReadStackOutputs | undefined;
  readonly #findResource: (urn: string) => ResourceState | undefined;

  constructor(
    readOutputs: ReadStackOutputs | undefined,
    findResource: (urn: string) => ResourceState | undefined,
  ) {
    this.#readOutputs = readOutputs;
    this.#findResource = findResource;
  }

  checkConfig(_urn: string, _olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    return Promise.resolve({ inputs: news, failures: [] });
  }

  diffConfig(): Promise<Diff> {
    return Promise.resolve(noDifference);
  }

  configure(): Promise<void> {
    return Promise.resolve();
  }

  check(subject: Subject, _olds: PropertyMap, news: PropertyMap): Promise<Checked> {
    requireStackReference(subject.urn);
    const failures =
      typeof news["name"] === "string"
        ? []
        : [{ property: "name", reason: "expected the name of a stack" }];
    return Promise.resolve({ inputs: news, failures });
  }

  diff(_subject: Subject, old: OldState, news: PropertyMap): Promise<Diff> {
    if (old.inputs["name"] === news["name"]) return Promise.resolve(noDifference);
    return Promise.resolve({
      ...noDifference,
      changes: "some",
      replaceKeys: ["name"],
      changedKeys: ["name"],
    });
  }

  async create(_subject: Subject, inputs: PropertyMap): Promise<Applied> {
    const name = text(inputs, "name");
    return { id: name, outputs: await this.#stackOutputs(name) };
  }

  async read(subject: Subject, state: OldState): Promise<ReadState | undefined> {
    requireStackReference(subject.urn);
    const { name } = state.inputs;
    return {
      id: subject.id,
      outputs: await this.#stackOutputs(typeof name === "string" ? name : subject.id),
      inputs: state.inputs,
    };
  }

  update(): Promise<Applied> {
    return Promise.reject(new Error("a StackReference cannot be updated, only replaced"));
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  async invoke(token: string, args: PropertyMap): Promise<Invoked> {
    switch (token) {
      case "pulumi:pulumi:readStackOutputs":
        return { result: await this.#stackOutputs(text(args, "name")), failures: [] };
      case "pulumi:pulumi:getResource": {
        const found = this.#findResource(text(args, "urn"));
        if (found === undefined) throw new Error(`there is no resource ${text(args, "urn")}`);
        return {
          result: { urn: found.urn, id: found.id ?? "", state: found.outputs },
          failures: [],
        };
      }
      default:
        throw new Error(`the function ${token} is not supported by offline/runner`);
    }
  }

  async #stackOutputs(name: string): Promise<PropertyMap> {
    if (this.#readOutputs === undefined)
      throw new Error("StackReference is not supported here: there is no other stack");
    const outputs = await this.#readOutputs(name);
    if (outputs === undefined) throw new Error(`there is no stack "${name}"`);
    const secretOutputNames = Object.keys(outputs).filter((key) =>
      containsSecret(outputs[key] ?? null),
    );
    const hidden = Object.entries(outputs).map(([key, value]) => [
      key,
      containsSecret(value) && !(value instanceof Secret) ? new Secret(value) : value,
    ]);
    return { name, outputs: Object.fromEntries(hidden) as PropertyMap, secretOutputNames };
  }
}

const noDifference: Diff = {
  changes: "none",
  replaceKeys: [],
  changedKeys: [],
  detailedDiff: undefined,
  deleteBeforeReplace: false,
};

function requireStackReference(urn: string): void {
  if (!urn.includes(`${stackReferenceType}::`)) {
    throw new Error(
      `${urn}: of the package "pulumi" offline/runner supports only ${stackReferenceType}`,
    );
  }
}

function text(properties: PropertyMap, key: string): string {
  const value = properties[key];
  if (typeof value !== "string") throw new Error(`"${key}" has to be a text`);
  return value;
}
