import assert from "node:assert/strict";
import fc from "fast-check";
import {
  auditImages,
  youngDays,
  type ImageThing,
  type ImageWants,
} from "../../../components/teardown/image-audit.ts";

const now = new Date("2026-11-25T12:00:00Z");
const wants: ImageWants = { keys: new Set(["wanted"]), owners: new Set(["ada"]), unread: [] };

function image(id: string, daysOld: number, change: Partial<ImageThing> = {}): ImageThing {
  const createdAt = new Date(now.getTime() - daysOld * 86_400_000).toISOString();
  const usual = { kind: "image", region: "us-east-1", state: "available" } as const;
  return { ...usual, id, createdAt, owner: "ada", key: "wanted", gib: 40, ...change };
}

describe("auditImages", () => {
  const newest = image("newest", 0, { key: "other" });
  const judged = (thing: ImageThing, others: readonly ImageThing[] = [newest], asked = wants) =>
    auditImages([thing, ...others], asked, now).find(({ id }) => id === thing.id);

  it("has the age and the price of each, and why it is kept", () => {
    const kept = judged(image("a", 30.5));
    assert.equal(kept?.ageDays, 30.5);
    assert.equal(kept.mostMonthlyUsd, 2);
    assert.deepEqual([kept.over, kept.reason], [false, "a stack's plan wants it"]);
  });

  it("takes for over what no plan wants, what a newer one replaces, and what is broken", () => {
    assert.equal(judged(image("a", 30, { key: "gone" }))?.reason, "no stack's plan wants it");
    const replaced = judged(image("a", 30), [newest, image("b", 8)]);
    assert.equal(replaced?.reason, "a newer one is there for the same plan");
    assert.ok(judged(image("a", 30, { state: "failed" }))?.over);
    assert.ok(judged(image("s", 30, { kind: "snapshot", state: "completed" }))?.over);
  });

  it("counts only what an up could start from as newer", () => {
    for (const change of [{ state: "pending" }, { region: "eu-west-1" }, { kind: "snapshot" }])
      assert.equal(
        judged(image("a", 30), [newest, image("b", 1, change as Partial<ImageThing>)])?.over,
        false,
      );
  });

  it("takes nothing for unwanted while a stack cannot be planned", () => {
    const unread = { ...wants, unread: ["prod"] };
    const kept = judged(image("a", 30, { key: "gone" }), [newest], unread);
    assert.deepEqual(
      [kept?.over, (kept?.reason ?? "").includes('"prod" cannot be planned')],
      [false, true],
    );
  });

  it("never gives up an owner's newest, another owner's, a young one, or one that is being made", () => {
    const things = fc.uniqueArray(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 3 }),
        days: fc.integer({ min: 0, max: 60 }),
        kind: fc.constantFrom("image" as const, "snapshot" as const),
        owner: fc.constantFrom("ada", "bob", "?"),
        state: fc.constantFrom("available", "pending", "failed"),
        key: fc.constantFrom("wanted", "gone"),
        region: fc.constantFrom("us-east-1", "eu-west-1"),
      }),
      { selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(things, (given) => {
        const all = given.map(({ id, days, ...change }) => image(id, days, change));
        const left = auditImages(all, wants, now).filter(({ over }) => !over);
        for (const thing of auditImages(all, wants, now).filter(({ over }) => over)) {
          assert.equal(thing.owner, "ada");
          assert.ok(thing.ageDays >= youngDays);
          assert.notEqual(thing.state, "pending");
          if (thing.kind === "image" && thing.state === "available")
            assert.ok(
              left.some(
                ({ kind, owner, region, state, createdAt }) =>
                  [kind, owner, region, state].join() === `image,ada,${thing.region},available` &&
                  createdAt >= thing.createdAt,
              ),
            );
        }
      }),
    );
  });
});
