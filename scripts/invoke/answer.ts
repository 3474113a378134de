import { createParser } from "eventsource-parser";
import { z } from "zod";

const answerSchema = z.object({
  choices: z.array(
    z.object({
      text: z.string().nullish(),
      message: z.object({ content: z.string().nullish() }).nullish(),
      delta: z.object({ content: z.string().nullish() }).nullish(),
    }),
  ),
  usage: z.object({ completion_tokens: z.number() }).nullish(),
});

/** What a model said, or a part of it. */
export interface Answer {
  readonly text: string;
  /** Tokens of the answer, where the engine counts them. */
  readonly tokens: number | undefined;
}

/**
 * The answer in a body of OpenAI's form: a completion's, a chat's, or a part of either.
 *
 * @throws Error when it has no answer
 */
export function readAnswer(body: string): Answer {
  const { choices, usage } = answerSchema.parse(JSON.parse(body));
  const [choice] = choices;
  const text = choice?.text ?? choice?.message?.content ?? choice?.delta?.content ?? "";
  return { text, tokens: usage?.completion_tokens };
}

/** The data of each server-sent event of a stream but the last, `[DONE]`; of a stream of JSON lines, as LMI has them, each line. */
export async function* serverSentEvents(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const come: string[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== "[DONE]") come.push(data);
    },
  });
  let start = "";
  let lines: string | undefined;
  for await (const piece of pieces) {
    const text = decoder.decode(piece, { stream: true });
    if (start === "") start = text.trimStart();
    if (start === "") continue;
    if (start.startsWith("{")) {
      const all = `${lines ?? ""}${text}`.split("\n");
      lines = all.pop();
      yield* all.filter((line) => line.trim() !== "");
      continue;
    }
    parser.feed(text);
    yield* come.splice(0);
  }
  if (lines !== undefined && lines.trim() !== "") yield lines;
}
