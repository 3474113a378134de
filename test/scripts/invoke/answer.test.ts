import assert from "node:assert/strict";
import fc from "fast-check";
import { readAnswer, serverSentEvents } from "../../../scripts/invoke/answer.ts";
import { fillTemplate, requestBody } from "../../../scripts/invoke/question.ts";
import { questionOf } from "../../../scripts/commands/invoke.ts";

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
    await Promise.resolve();
  }
}

describe("serverSentEvents", () => {
  const texts = ["plain", "naïve 星 🚢", "two\\nlines"];
  const events = texts.map((text) => `data: {"t":"${text}"}\n\n`).join("");
  for (const [form, stream] of [
    ["server-sent events", `${events}data: [DONE]\n\n`],
    ["JSON lines", `\n${texts.map((text) => `{"t":"${text}"}\n`).join("")}`],
    ["JSON lines without a last end", texts.map((text) => `{"t":"${text}"}`).join("\n")],
  ] as const) {
    it(`gives the same of ${form} however the bytes are cut`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
          async (sizes) => {
            const events: string[] = [];
            for await (const event of serverSentEvents(inPieces(stream, sizes))) events.push(event);
            assert.deepEqual(
              events,
              texts.map((text) => `{"t":"${text}"}`),
            );
          },
        ),
        { numRuns: 50 },
      );
    });
  }
});

describe("readAnswer", () => {
  it("reads a completion, a chat and a part of either", () => {
    const of = (choice: object) => readAnswer(JSON.stringify({ choices: [choice] })).text;
    assert.equal(of({ text: "a" }), "a");
    assert.equal(of({ message: { content: "b" } }), "b");
    assert.equal(of({ delta: { content: "c" } }), "c");
    assert.equal(of({ delta: { role: "assistant", content: null } }), "");
    const usage = { completion_tokens: 7 };
    assert.equal(readAnswer(JSON.stringify({ choices: [], usage })).tokens, 7);
  });
});

describe("requestBody", () => {
  it("says what was asked and no more", () => {
    const question = { prompt: "p", maxTokens: 5 };
    assert.deepEqual(JSON.parse(requestBody(question, "completion", false)), {
      prompt: "p",
      max_tokens: 5,
    });
    assert.deepEqual(JSON.parse(requestBody({ ...question, topP: 0.5 }, "chat", true)), {
      messages: [{ role: "user", content: "p" }],
      max_tokens: 5,
      top_p: 0.5,
      stream: true,
    });
  });
});

describe("questionOf", () => {
  const flags = { env: "dev", engine: "offline", maxTokens: "16" } as const;

  it("takes the words as one prompt, into the template", () => {
    const template = "[INST] {prompt} [/INST]";
    const { prompt } = questionOf(["why", "$&", "blue?"], { ...flags, template });
    assert.equal(prompt, "[INST] why $& blue? [/INST]");
    assert.equal(fillTemplate(undefined, "x"), "x");
  });

  it("names every flag that is wrong, before anything is asked", () => {
    const wrong = { ...flags, maxTokens: "0.5", temperature: "hot", topP: "2", template: "no" };
    assert.throws(
      () => questionOf([" "], wrong),
      (error: { problems?: readonly string[] }) => error.problems?.length === 6,
    );
  });
});
