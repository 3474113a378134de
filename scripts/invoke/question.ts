/** What a model is asked, and how it is to answer. */
export interface Question {
  readonly prompt: string;
  /** Which of the server's models. @default its only one, or its first */
  readonly model?: string | undefined;
  readonly maxTokens: number;
  /** From 0, which takes the likeliest word, to 2. @default the engine's own */
  readonly temperature?: number | undefined;
  /** Share of the likelihood that words are taken from, from 0 to 1. @default the engine's own */
  readonly topP?: number | undefined;
}

/** Where the prompt stands in a template. */
const placeholder = "{prompt}";

/** The prompt in its template, such as `[INST] {prompt} [/INST]`. */
export function fillTemplate(template: string | undefined, prompt: string): string {
  return template === undefined ? prompt : template.replaceAll(placeholder, () => prompt);
}

/** Whether a template has a place for the prompt. */
export function isTemplate(text: string): boolean {
  return text.includes(placeholder);
}

/** The two forms in which OpenAI's API is asked: a text to go on with, or a talk. */
export type RequestForm = "completion" | "chat";

/** The body of a request in OpenAI's form, which vLLM and llama.cpp take. */
export function requestBody(question: Question, form: RequestForm, stream: boolean): string {
  const { prompt, model, maxTokens, temperature, topP } = question;
  return JSON.stringify({
    model,
    ...(form === "completion" ? { prompt } : { messages: [{ role: "user", content: prompt }] }),
    max_tokens: maxTokens,
    temperature,
    top_p: topP,
    ...(stream ? { stream } : {}),
  });
}
