import { createWriteStream, type WriteStream } from "node:fs";

/** One call of the emulated AWS. */
export interface ApiCall {
  /** When it was answered, in the cloud's own time, ISO 8601. */
  readonly at: string;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** The API's error code, when it refused. */
  readonly error?: string;
  /** Who called when it was not a client: `scheduler`, `states`, `fleet`. */
  readonly caller?: string;
  readonly milliseconds: number;
}

const longestValue = 2048;

/** Cuts long values, so that a log of user data and documents stays readable. */
function shorten(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      if (/secret|password|sessiontoken/i.test(name)) return [name, "[hidden]"];
      const cut = typeof value === "string" && value.length > longestValue;
      return [
        name,
        cut ? `${value.slice(0, longestValue)}... (${value.length} characters)` : value,
      ];
    }),
  );
}

/** Every call in order; the oldest fall out of a ring of 20 000, all go to the file when there is one. */
export class CallLog {
  readonly #calls: ApiCall[] = [];
  readonly #file: WriteStream | undefined;
  readonly #size: number;

  constructor(file?: string, size = 20_000) {
    this.#file = file === undefined ? undefined : createWriteStream(file, { flags: "a" });
    this.#size = size;
  }

  add(call: ApiCall): void {
    const kept =
      call.parameters === undefined ? call : { ...call, parameters: shorten(call.parameters) };
    this.#calls.push(kept);
    if (this.#calls.length > this.#size) this.#calls.splice(0, this.#size / 10);
    this.#file?.write(`${JSON.stringify(kept)}\n`);
  }

  all(): readonly ApiCall[] {
    return [...this.#calls];
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#file === undefined) resolve();
      else this.#file.end(resolve);
    });
  }
}
