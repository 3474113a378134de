import assert from "node:assert/strict";

import fc from "fast-check";

import { applyIgnoreChanges } from "../../../../offline/runner/engine/ignore-changes.ts";
import {
  annotateSecrets,
  diffMaps,
  equal,
} from "../../../../offline/runner/engine/property-diff.ts";
import {
  fromPlain,
  fromStruct,
  keepAll,
  signatureKey,
  toPlain,
  toStruct,
} from "../../../../offline/runner/engine/property-marshal.ts";
import { parsePath, pathContains } from "../../../../offline/runner/engine/property-path.ts";
import {
  Asset,
  ResourceReference,
  Secret,
  unknown,
} from "../../../../offline/runner/engine/property-value.ts";
import type { PropertyMap } from "../../../../offline/runner/engine/property-value.ts";
import { parseDuration } from "../../../../offline/runner/engine/timeouts.ts";
import { childUrn, matchesUrn, parseUrn } from "../../../../offline/runner/engine/urn.ts";

/** Any but the one name that protobuf's own Struct does not carry. */
const json = fc
  .dictionary(fc.stringMatching(/^[a-z.[\]" ]{1,8}$/), fc.jsonValue({ maxDepth: 3 }))
  .filter((map) => !JSON.stringify(map).includes('"__proto__":')) as fc.Arbitrary<PropertyMap>;

describe("property values", () => {
  it("travel and come back as they were", () => {
    fc.assert(
      fc.property(json, (map) => {
        assert.ok(equal(fromStruct(toStruct(map, keepAll)), map));
      }),
    );
    const special = {
      secret: new Secret({ deep: new Secret("x") }),
      asset: new Asset({ text: "x" }, "00"),
      reference: new ResourceReference("urn:pulumi:s::p::t::n", "id", "1.0.0"),
      list: [unknown, null],
    };
    assert.deepEqual(fromStruct(toStruct(special, keepAll)), special);
  });

  it("lose their marks for those who do not understand them", () => {
    const values = {
      secret: new Secret("x"),
      reference: new ResourceReference("urn:pulumi:s::p::t::n", "id", ""),
    };
    assert.deepEqual(toPlain(values, { secrets: false, resources: false }), {
      secret: "x",
      reference: "id",
    });
  });

  it("refuse a signature that nobody knows", () => {
    assert.throws(() => fromPlain({ [signatureKey]: "0123" }), /signature 0123 is not supported/);
  });

  it("differ where they differ and nowhere else", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        assert.deepEqual(diffMaps(a, a), {});
        assert.equal(Object.keys(diffMaps(a, b)).length === 0, equal(a, b));
      }),
    );
  });

  it("have paths that the path parser reads", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        for (const path of Object.keys(diffMaps(a, b))) assert.ok(parsePath(path).length > 0);
      }),
    );
  });

  it("ignored as a whole are as they were", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const paths = [...new Set([...Object.keys(a), ...Object.keys(b)])].map(
          (key) => `[${JSON.stringify(key)}]`,
        );
        assert.ok(equal(applyIgnoreChanges(b, a, paths), a));
      }),
    );
  });

  it("ignored by a path that is missing on one side are an error", () => {
    assert.throws(
      () => applyIgnoreChanges({ a: { b: 1 } }, {}, ["a.b"]),
      /a part is missing: a\.b/,
    );
    assert.deepEqual(applyIgnoreChanges({}, {}, ["a.b"]), {});
  });

  it("become secret where an input of the same name is", () => {
    const marked = annotateSecrets(
      { a: 1, b: { c: 2, d: 3 }, e: [1] },
      { a: new Secret(1), b: { c: new Secret(2) }, e: [new Secret(1)] },
    );
    assert.deepEqual(marked, {
      a: new Secret(1),
      b: { c: new Secret(2), d: 3 },
      e: new Secret([1]),
    });
  });
});

describe("property paths, URNs and durations", () => {
  it("reads paths in all their forms, and refuses others", () => {
    assert.deepEqual(parsePath('root.list[0]["a.b"].x[*]'), ["root", "list", 0, "a.b", "x", "*"]);
    for (const bad of ["", ".", "a.", "a[", "a..b", "a[x]", "a[0]b"])
      assert.throws(() => parsePath(bad), /not a property path/);
    assert.ok(pathContains(parsePath("a[*].b"), parsePath("a[3].b.c")));
    assert.ok(!pathContains(parsePath("a.b"), parsePath("a")));
  });

  it("chains types below parents, except below the stack", () => {
    const where = { stack: "s", project: "p" };
    const parent = childUrn(where, "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "a:b:C", "one");
    assert.equal(parent, "urn:pulumi:s::p::a:b:C::one");
    assert.equal(childUrn(where, parent, "d:e:F", "x::y"), "urn:pulumi:s::p::a:b:C$d:e:F::x::y");
    assert.equal(parseUrn("urn:pulumi:s::p::a$b::x::y").name, "x::y");
    assert.throws(() => parseUrn("nonsense"), /is not a URN/);
  });

  it("matches targets", () => {
    const urn = "urn:pulumi:s::p::a:b:C::one";
    assert.ok(
      matchesUrn(urn, urn) &&
        matchesUrn("**::one", urn) &&
        matchesUrn("urn:pulumi:*::*::a:b:C::*", urn),
    );
    assert.ok(!matchesUrn("*::one", urn) && !matchesUrn("**::on", urn));
  });

  it("reads durations", () => {
    assert.equal(parseDuration("1h5m"), 3900);
    assert.equal(parseDuration("250ms"), 0.25);
    for (const bad of ["", "5", "m", "5 m", "1x"])
      assert.throws(() => parseDuration(bad), /not a duration/);
  });
});
