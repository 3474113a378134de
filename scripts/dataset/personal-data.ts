import { redact } from "@arcjet/redact";

/** What `@arcjet/redact` tells apart. Names and postal addresses are not among it. */
export type PersonalKind = "email" | "phone-number" | "credit-card-number" | "ip-address";

/** What was found, by the text itself. */
export type PersonalData = ReadonlyMap<string, PersonalKind>;

/** Spans that may be an address of e-mail, an IPv6 address, or a number with seven digits or more. */
const candidates =
  /[^\s<>,;:"'()[\]{}|]+@[^\s<>,;:"'()[\]{}|]+|(?<![\w:])[\da-f]*(?::[\da-f]*){2,7}(?![\w:])|(?<![\w.])[+(]?\d(?:[\s().-]{0,3}\d){6,18}(?!\w)|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/giu;

/** Stands between two candidates so that no number goes on from one into the next. */
const border = "\nnext\n";

function trimmed(span: string): string {
  return span.replace(/[.!?-]+$/u, "").trim();
}

/**
 * Personal data in texts. The library judges; it is shown only what could be some, all of it at once, since each call of it
 * takes a millisecond.
 */
export async function findPersonalData(texts: readonly string[]): Promise<PersonalData> {
  const spans = new Set<string>();
  for (const text of texts) {
    for (const [span] of text.matchAll(candidates)) spans.add(trimmed(span));
  }
  const found = new Map<string, PersonalKind>();
  if (spans.size === 0) return found;
  await redact([...spans].join(border), {
    replace: (kind, plain) => {
      found.set(plain, kind);
      return undefined;
    },
  });
  return found;
}

/** The pieces of personal data in one text. */
export function personalDataIn(text: string, known: PersonalData): readonly PersonalKind[] {
  const kinds: PersonalKind[] = [];
  if (known.size === 0) return kinds;
  for (const [span] of text.matchAll(candidates)) {
    const kind = known.get(trimmed(span));
    if (kind !== undefined) kinds.push(kind);
  }
  return kinds;
}

/** The text with each piece of personal data replaced by its kind, such as `[email]`. */
export function maskPersonalData(text: string, known: PersonalData): string {
  if (known.size === 0) return text;
  return text.replace(candidates, (span) => {
    const plain = trimmed(span);
    const kind = known.get(plain);
    return kind === undefined ? span : span.replace(plain, `[${kind}]`);
  });
}
