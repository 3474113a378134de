/** Where text goes; `process` has both, tests give their own. */
export interface TextSinks {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person watches: only then is a line rewritten in place. */
  readonly interactive: boolean;
  /** Width of the window of the standard error, characters. @default no bound */
  readonly columns?: () => number | undefined;
}

/** This process's own streams. */
export const processSinks: TextSinks = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  interactive: process.stderr.isTTY && process.env["CI"] === undefined,
  columns: () => process.stderr.columns,
};

/**
 * Text of a host, a model or a file's name with its control characters shown instead of obeyed: they could retitle a window,
 * hide a line or answer for the person. Line ends and tabs stay.
 */
export function harmless(text: string): string {
  const lines = text.replaceAll(/\r+(?=\n|$)/g, "");

  return lines.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/**
 * What a command says. With `--json` the standard output is one JSON document and nothing else, and the story goes to the
 * standard error; without it the story is on the standard output. A log gets whole lines only.
 */
export class Terminal {
  readonly json: boolean;
  readonly #sinks: TextSinks;
  #status = false;

  constructor(json: boolean, sinks: TextSinks = processSinks) {
    this.json = json;
    this.#sinks = sinks;
  }

  /** Whether a person watches; else it is a log, which wants whole lines, and few of them. */
  get interactive(): boolean {
    return this.#sinks.interactive;
  }

  /** Lines for a person. */
  say(...lines: readonly string[]): void {
    this.clearStatus();
    const write = this.json ? this.#sinks.err : this.#sinks.out;
    for (const line of lines) write(`${harmless(line)}\n`);
  }

  /** Text that may be part of a line, such as an answer that is still being made. */
  write(text: string): void {
    this.clearStatus();
    (this.json ? this.#sinks.err : this.#sinks.out)(harmless(text));
  }

  /** What is under way, on a line that the next one replaces; nothing at all in a log. */
  status(text: string): void {
    if (!this.#sinks.interactive) return;
    // Only one line can be taken back: what a narrow window would wrap is cut off.
    const room = (this.#sinks.columns?.() ?? Infinity) - 1;
    const plain = harmless(text);
    const shown = plain.length > room ? `${plain.slice(0, Math.max(0, room - 3))}...` : plain;
    this.#sinks.err(`\r\u001B[2K${shown}`);
    this.#status = true;
  }

  /** Takes the status line away. */
  clearStatus(): void {
    if (this.#status) this.#sinks.err("\r\u001B[2K");
    this.#status = false;
  }

  /** Lines about what is wrong, always on the standard error. */
  complain(text: string): void {
    this.clearStatus();
    this.#sinks.err(`${harmless(text)}\n`);
  }

  /** The command's result: printed only under `--json`. */
  result(value: unknown): void {
    if (this.json) this.#sinks.out(`${JSON.stringify(value, null, 2)}\n`);
  }
}
