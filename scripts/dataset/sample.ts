import { isUtf8 } from "node:buffer";
import { z } from "zod";

/** One sample, by the names that TRL's trainer knows. */
export type Sample =
  | { readonly schema: "text"; readonly text: string }
  | { readonly schema: "messages"; readonly messages: readonly ChatMessage[] }
  | {
      readonly schema: "prompt-completion";
      readonly prompt: string | readonly ChatMessage[];
      readonly completion: string | readonly ChatMessage[];
    };

/** One turn of a chat. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** What is wrong with a line that is no sample. */
export interface BadLine {
  readonly kind: "encoding" | "json" | "schema" | "empty";
  readonly reason: string;
}

const roles = ["system", "developer", "user", "assistant", "tool"] as const;
const message = z.object({ role: z.enum(roles), content: z.string() });
const chat = z
  .array(message)
  .min(1)
  .refine((turns) => turns.some(({ role }) => role === "assistant"), {
    message: "has no turn of the assistant, so there is nothing to learn",
  });
const turns = z.union([z.string(), z.array(message).min(1)]);
const textSample = z.object({ text: z.string() });
const chatSample = z.object({ messages: chat });
const pairSample = z.object({ prompt: turns, completion: turns });

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "is not as it should be";
  const at = issue.path.map(String).join(".");
  return at === "" ? issue.message : `${at}: ${issue.message}`;
}

function schemaProblem(reason: string): BadLine {
  return { kind: "schema", reason };
}

/** The sample of an object; other keys than those of its schema are left out. */
function fromObject(value: object): Sample | BadLine {
  if ("messages" in value) {
    const { data, error } = chatSample.safeParse(value);
    return data ? { schema: "messages", ...data } : schemaProblem(firstIssue(error));
  }
  if ("prompt" in value || "completion" in value) {
    const { data, error } = pairSample.safeParse(value);
    if (!data) return schemaProblem(firstIssue(error));
    if (typeof data.prompt !== typeof data.completion) {
      return schemaProblem("prompt and completion are one text and one chat");
    }
    return { schema: "prompt-completion", ...data };
  }
  if ("text" in value) {
    const { data, error } = textSample.safeParse(value);
    return data ? { schema: "text", ...data } : schemaProblem(firstIssue(error));
  }
  const keys = Object.keys(value).slice(0, 5).join(", ") || "no keys";
  return schemaProblem(`has ${keys}; a sample has text, messages, or prompt and completion`);
}

/** Every text of a sample, in order. */
export function textsOf(sample: Sample): readonly string[] {
  const contents = (turn: string | readonly ChatMessage[]) =>
    typeof turn === "string" ? [turn] : turn.map(({ content }) => content);
  if (sample.schema === "text") return [sample.text];
  if (sample.schema === "messages") return contents(sample.messages);
  return [...contents(sample.prompt), ...contents(sample.completion)];
}

/** The same sample with each of its texts made anew. */
export function withTexts(sample: Sample, change: (text: string) => string): Sample {
  const turn = (value: string | readonly ChatMessage[]) =>
    typeof value === "string"
      ? change(value)
      : value.map(({ role, content }) => ({ role, content: change(content) }));
  const chatTurns = (value: readonly ChatMessage[]) =>
    value.map(({ role, content }) => ({ role, content: change(content) }));
  if (sample.schema === "text") return { ...sample, text: change(sample.text) };
  if (sample.schema === "messages") return { ...sample, messages: chatTurns(sample.messages) };
  return { ...sample, prompt: turn(sample.prompt), completion: turn(sample.completion) };
}

/** What has to be learnt is not there. */
function emptyReason(sample: Sample): string | undefined {
  if (sample.schema === "prompt-completion") {
    const { completion } = sample;
    const learnt = typeof completion === "string" ? [completion] : completion.map((m) => m.content);
    return learnt.every((text) => text.trim() === "") ? "the completion is empty" : undefined;
  }
  return textsOf(sample).every((text) => text.trim() === "") ? "the text is empty" : undefined;
}

/** Where text stops being UTF-8, counted in bytes from 1. */
function firstWrongByte(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString("utf8"), "utf8");
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  return at + 1;
}

function parseJson(text: string): Sample | BadLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "json", reason: `is no JSON: ${reason}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return schemaProblem("is no object in braces");
  }
  return fromObject(value);
}

/** The sample of one line: JSON, or the text itself in a .txt file. */
export function parseSample(bytes: Buffer, format: "jsonl" | "txt"): Sample | BadLine {
  if (!isUtf8(bytes)) {
    return { kind: "encoding", reason: `is not UTF-8 at byte ${firstWrongByte(bytes)}` };
  }
  const text = bytes.toString("utf8");
  if (text.trim() === "") return { kind: "empty", reason: "is empty" };
  const parsed: Sample | BadLine = format === "txt" ? { schema: "text", text } : parseJson(text);
  if ("kind" in parsed) return parsed;
  if (textsOf(parsed).some((each) => !each.isWellFormed())) {
    return { kind: "encoding", reason: "has half of a surrogate pair, which is no character" };
  }
  const empty = emptyReason(parsed);
  return empty === undefined ? parsed : { kind: "empty", reason: empty };
}
