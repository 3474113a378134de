import { createParser, type EventSourceParser } from "eventsource-parser";
import { z } from "zod";
import type { RequestSample } from "../../components/load-report/request-sample.ts";
import { RequestFailure } from "./request-failure.ts";

/** A part of a streamed completion or chat, in OpenAI's form; vLLM sends thoughts as `reasoning` or `reasoning_content`. */
const partSchema = z.object({
  choices: z
    .array(
      z.object({
        text: z.string().nullish(),
        delta: z
          .object({
            content: z.string().nullish(),
            reasoning: z.string().nullish(),
            reasoning_content: z.string().nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
  error: z.union([z.string(), z.object({ message: z.string().nullish() })]).nullish(),
});

type Part = z.infer<typeof partSchema>;

/** A server that sends one event of so many letters is not read on. */
const longestEvent = 4 * 1024 * 1024;

function partOf(data: string): Part {
  try {
    return partSchema.parse(JSON.parse(data));
  } catch {
    throw new RequestFailure("malformed", `not a part of an answer: ${data.slice(0, 200)}`);
  }
}

function hasText({ choices }: Part): boolean {
  const [choice] = choices ?? [];
  const { text, delta } = choice ?? {};
  const said = [text, delta?.content, delta?.reasoning, delta?.reasoning_content];
  return said.some((words) => words !== undefined && words !== null && words !== "");
}

/** Reads one streamed answer and keeps the times that a load test wants; milliseconds of the caller's clock. */
export class AnswerReader {
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  readonly #dueMs: number;
  #nowMs = 0;
  #parts = 0;
  #partsInWindow: number | undefined;
  #firstMs: number | undefined;
  #lastMs: number | undefined;
  #longestGapMs = 0;
  #ended = false;
  #usage: Part["usage"];

  constructor(dueMs: number) {
    this.#dueMs = dueMs;
    this.#parser = createParser({
      maxBufferSize: longestEvent,
      onEvent: ({ data }) => {
        this.#take(data);
      },
      onError: ({ message }) => {
        throw new RequestFailure("malformed", `not a stream of events: ${message.slice(0, 200)}`);
      },
    });
  }

  /** Parts with text that have come so far. */
  get parts(): number {
    return this.#parts;
  }

  /** The same, while tokens count. */
  get partsInWindow(): number {
    return this.#partsInWindow ?? this.#parts;
  }

  /**
   * Reads what has come at this moment.
   *
   * @throws RequestFailure malformed or server-error
   */
  feed(piece: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#parser.feed(this.#decoder.decode(piece, { stream: true }));
  }

  /** The time in which tokens are counted is over; what comes later does not count as throughput. */
  closeWindow(): void {
    this.#partsInWindow ??= this.#parts;
  }

  /**
   * The sample of an answer whose stream has ended.
   *
   * @throws RequestFailure cut or empty
   */
  sample(nowMs: number): RequestSample {
    if (!this.#ended) {
      throw new RequestFailure("cut", `the stream ended after ${this.#parts} parts, with no end`);
    }
    if (this.#parts === 0) throw new RequestFailure("empty", "the answer has no token");
    return this.#figures(nowMs, undefined);
  }

  /** The sample of a request that failed. */
  failed({ kind, message }: RequestFailure, nowMs: number): RequestSample {
    return this.#figures(nowMs, { kind, message });
  }

  #figures(nowMs: number, failure: Pick<RequestFailure, "kind" | "message"> | undefined) {
    const counted = this.#usage?.completion_tokens ?? 0;
    const countedBy = counted > 0 ? ("server" as const) : ("parts" as const);
    const begun = this.#partsInWindow === undefined || this.#partsInWindow > 0;
    return {
      failure: failure?.kind,
      detail: failure?.message,
      firstTokenSeconds: this.#sinceDue(this.#firstMs),
      lastTokenSeconds: this.#sinceDue(this.#lastMs),
      wholeSeconds: (nowMs - this.#dueMs) / 1000,
      longestGapSeconds: this.#longestGapMs / 1000,
      promptTokens: this.#usage?.prompt_tokens,
      answerTokens: countedBy === "server" ? counted : this.#parts,
      countedBy,
      windowShare: this.#parts === 0 ? 0 : (this.#partsInWindow ?? this.#parts) / this.#parts,
      begunInWindow: this.#firstMs !== undefined && begun,
    };
  }

  #sinceDue(ms: number | undefined): number | undefined {
    return ms === undefined ? undefined : (ms - this.#dueMs) / 1000;
  }

  #take(data: string): void {
    if (data === "[DONE]") {
      this.#ended = true;
      return;
    }
    const part = partOf(data);
    const { choices, usage, error } = part;
    if (error !== undefined && error !== null) {
      const said = typeof error === "string" ? error : (error.message ?? "no message");
      throw new RequestFailure("server-error", `in the stream: ${said.slice(0, 200)}`);
    }
    if (choices?.[0]?.finish_reason !== undefined && choices[0].finish_reason !== null) {
      this.#ended = true;
    }
    this.#usage = usage ?? this.#usage;
    if (hasText(part)) this.#count();
  }

  #count(): void {
    const { lastMs, nowMs } = { lastMs: this.#lastMs, nowMs: this.#nowMs };
    this.#parts += 1;
    this.#firstMs ??= nowMs;
    if (lastMs !== undefined) this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - lastMs);
    this.#lastMs = nowMs;
  }
}
