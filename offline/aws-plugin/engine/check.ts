import type { Fields, Kind, Property } from "./schema.ts";
import { isObject, unknown, type Properties } from "./wire.ts";

/** One thing wrong with one input. */
export interface InputFailure {
  readonly property: string;
  readonly reason: string;
}

const expected = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  json: "a JSON document",
  map: "a map of text",
  list: "a list",
  set: "a list",
  object: "an object",
} as const satisfies Record<Kind, string>;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

type Convert = (value: unknown) => unknown;

function toNumber(value: unknown): unknown {
  const isNumeric = typeof value === "string" && value.trim() !== "";
  return isNumeric && Number.isFinite(Number(value)) ? Number(value) : value;
}

function toBoolean(value: unknown): unknown {
  if (value === "true") return true;
  return value === "false" ? false : value;
}

/** How each kind takes values of other types, since programs may give a number as text. */
const conversions: Partial<Record<Kind, Convert>> = {
  string: (value) =>
    typeof value === "number" || typeof value === "boolean" ? String(value) : value,
  number: toNumber,
  boolean: toBoolean,
  json: (value) => (isObject(value) || Array.isArray(value) ? JSON.stringify(value) : value),
};

const fits: Record<Kind, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  json: (value) => typeof value === "string" && isJson(value),
  list: Array.isArray,
  set: Array.isArray,
  map: isObject,
  object: isObject,
};

/** Checks values against a schema, gathering every problem. */
export class InputCheck {
  readonly failures: InputFailure[] = [];
  readonly #subject: string;

  /** @param subject what the inputs belong to, for messages */
  constructor(subject: string) {
    this.#subject = subject;
  }

  /** Says that a property is wrong. */
  fail(property: string, reason: string): void {
    this.failures.push({ property, reason });
  }

  /** The values in the types of the schema, with its defaults; `given` collects the names that a default was put in for. */
  fields(fields: Fields, values: Properties, path = "", given: string[] = []): Properties {
    const checked: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(values)) {
      if (key === "__defaults" || value === undefined) continue;
      const at = path === "" ? key : `${path}.${key}`;
      const property = fields[key];
      if (property !== undefined) checked[key] = this.#value(property, value, at);
      else this.fail(at, this.#unknown(key, fields, path));
    }
    for (const [key, property] of Object.entries(fields)) {
      if (key in checked) continue;
      const at = path === "" ? key : `${path}.${key}`;
      if (property.required === true) this.fail(at, `missing; ${this.#subject} needs it`);
      if (property.default === undefined) continue;
      checked[key] = property.default;
      given.push(key);
    }
    return checked;
  }

  #unknown(key: string, fields: Fields, path: string): string {
    const where = path === "" ? this.#subject : `${path} of ${this.#subject}`;
    return `unknown input "${key}"; for ${where} this plugin takes ${Object.keys(fields).join(", ")}. The real AWS provider may know more: docs/aws-plugin.md`;
  }

  #value(property: Property, given: unknown, path: string): unknown {
    if (given === unknown) return given;
    const value = conversions[property.kind]?.(given) ?? given;
    if (!fits[property.kind](value)) {
      this.fail(path, `must be ${expected[property.kind]}, got ${JSON.stringify(given)}`);
      return given;
    }
    if (property.oneOf !== undefined && !property.oneOf.includes(value as string)) {
      this.fail(path, `must be one of ${property.oneOf.join(", ")}, got ${JSON.stringify(given)}`);
    }
    const { of } = property;
    if (of !== undefined && Array.isArray(value)) {
      return value.map((item, index) => this.#value(of, item, `${path}[${index}]`));
    }
    if (property.fields !== undefined && isObject(value)) {
      return this.fields(property.fields, value, path);
    }
    if (property.kind === "map" && isObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          this.#value({ kind: "string" }, item, `${path}[${JSON.stringify(key)}]`),
        ]),
      );
    }
    return value;
  }
}
