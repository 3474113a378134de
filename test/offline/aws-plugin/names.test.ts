import assert from "node:assert/strict";
import { without } from "../../../offline/aws-plugin/engine/defined.ts";
import type { Fields, Property } from "../../../offline/aws-plugin/engine/schema.ts";
import {
  findFunction,
  findResource,
  functionTokens,
  resourceTokens,
} from "../../../offline/aws-plugin/types/registry.ts";
import {
  declaredFunction,
  declaredNested,
  declaredResource,
  type Declared,
} from "./declarations.ts";

/** Kinds of schema by how a declaration may begin. */
function agrees({ kind, of }: Property, { type }: Declared): boolean {
  if (kind === "list" || kind === "set") return type.includes("[]") && of !== undefined;
  if (kind === "map") return type.includes("[key: string]");
  if (kind === "object") return type.includes("inputs.") && !type.includes("[]");
  return type.includes(kind === "json" ? "string" : kind);
}

/** Every name in a schema that @pulumi/aws does not declare, or declares as something else. */
function drift(fields: Fields, declared: Record<string, Declared>, path = ""): string[] {
  return Object.entries(fields).flatMap(([key, property]) => {
    const at = `${path}${key}`;
    const found = declared[key];
    if (found === undefined) return [`${at} is not declared`];
    const problems = agrees(property, found) ? [] : [`${at} is declared as ${found.type}`];
    const below = property.fields ?? property.of?.fields;
    if (below === undefined) return problems;
    const inner = declaredNested(found);
    if (inner === undefined) return [...problems, `${at} has no declared fields`];
    return [...problems, ...drift(below, inner, `${at}.`)];
  });
}

function ownFields(fields: Fields, left: string): Fields {
  return without(fields, left) as Fields;
}

describe("names of the AWS plugin", () => {
  for (const token of resourceTokens) {
    it(`are those of @pulumi/aws in ${token}`, async () => {
      const type = await findResource(token);
      const { inputs, outputs } = declaredResource(token);
      assert.equal(type.token, token);
      assert.deepEqual(drift(ownFields(type.inputs, "tagsAll"), inputs), []);
      const known = [...type.outputs, ...Object.keys(type.inputs)];
      assert.deepEqual(
        known.filter((key) => !outputs.has(key)),
        [],
      );
      const needed = Object.entries(inputs).filter(([, { optional }]) => !optional);
      for (const [key] of needed)
        assert.equal(type.inputs[key]?.required, true, `${key} is needed`);
    });
  }

  for (const token of functionTokens) {
    it(`are those of @pulumi/aws in ${token}`, async () => {
      const type = await findFunction(token);
      const { inputs } = declaredFunction(token);
      assert.equal(type.token, token);
      // getCallerIdentity is of no region; the others must declare theirs.
      assert.equal("region" in inputs, token !== "aws:index/getCallerIdentity:getCallerIdentity");
      assert.deepEqual(drift(ownFields(type.inputs, "region"), inputs), []);
    });
  }
});
