import assert from "node:assert/strict";
import type { UserError } from "../../../components/user-error.ts";
import { requestBody } from "../../../scripts/invoke/question.ts";
import { askedOf } from "../../../scripts/stack/model-of-stack.ts";

const plan = { modelId: "llama-3.1-8b" };

describe("What a host is asked", () => {
  it("is its model, or an adapter beside it, and nothing else", () => {
    const adapters = ["acme-support", "acme-sales"];
    for (const model of ["llama-3.1-8b", "acme-sales"]) {
      assert.equal(askedOf({ plan, adapters }, { model }), undefined);
    }
    assert.throws(
      () => askedOf({ plan, adapters }, { model: "acme" }),
      ({ message, hint }: UserError) =>
        message.includes('no "acme"') &&
        String(hint).includes("llama-3.1-8b, acme-support, acme-sales"),
    );
    assert.throws(() => askedOf({ plan }, { model: "acme" }), /serves one model/);
  });

  it("is named in the request, where it was named", () => {
    const question = { prompt: "a", maxTokens: 2 };
    const named = requestBody({ ...question, model: "acme" }, "completion", false);
    assert.equal((JSON.parse(named) as { model: string }).model, "acme");
    assert.ok(!requestBody(question, "completion", false).includes("model"));
  });
});
