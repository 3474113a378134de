import assert from "node:assert/strict";
import type { ModelClient } from "../../scripts/invoke/model-client.ts";

/** What a target has to make ready for the contract. */
export interface ServedTarget {
  readonly name: string;
  /** Brings a model up that says its prompt again, and opens it. */
  readonly open: () => Promise<ModelClient>;
  readonly close: () => Promise<void>;
  /** Whether an answer comes in parts. */
  readonly streams: boolean;
}

/** What every target's model client has to do, whatever lies between it and the model. */
export function modelClientContract({ name, open, close, streams }: ServedTarget): void {
  describe(`the model client of ${name}`, () => {
    let model: ModelClient;
    before(async () => {
      model = await open();
    });
    after(async () => {
      model.close();
      await close();
    });

    it("gives the whole answer, and its tokens", async () => {
      const answer = await model.ask({ prompt: "one two", maxTokens: 8 });
      assert.equal(answer.text.trim(), "echo: one two");
      assert.equal(answer.tokens, 3);
    });

    it("gives the same answer in parts", async () => {
      const parts: string[] = [];
      for await (const { text } of model.stream({ prompt: "one two three", maxTokens: 8 })) {
        parts.push(text);
      }
      assert.equal(parts.join("").trim(), "echo: one two three");
      assert.ok(parts.length > 1 || !streams);
    });

    it("keeps questions that are asked at once apart", async () => {
      const prompts = ["red", "green", "blue"];
      const answers = await Promise.all(
        prompts.map((prompt) => model.ask({ prompt, maxTokens: 8 })),
      );
      assert.deepEqual(
        answers.map(({ text }) => text.trim()),
        prompts.map((prompt) => `echo: ${prompt}`),
      );
    });
  });
}
