import type { Answer } from "./answer.ts";
import type { Question } from "./question.ts";

/** A model that serves, wherever it does. */
export interface ModelClient {
  ask(question: Question): Promise<Answer>;
  /** The answer part by part, as it is made. */
  stream(question: Question): AsyncIterable<Answer>;
  close(): void;
}
