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

/** Puts pieces of a stream together to whole server-sent events, and gives the data of each but the last, `[DONE]`. */
export async function* serverSentEvents(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice("data:".length).trimStart())
        .join("\n");
      if (data !== "" && data !== "[DONE]") yield data;
    }
  }
}
