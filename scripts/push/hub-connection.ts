import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/user-error.ts";

/** How patient a connection is. */
export interface HubPatience {
  /** Tries without a byte of progress. */
  readonly attempts: number;
  /** The first pause; each next one is twice as long. */
  readonly pauseMs: number;
  /** Without a byte for so long, a try is given up. */
  readonly idleMs: number;
}

const usualPatience: HubPatience = { attempts: 8, pauseMs: 500, idleMs: 30_000 };
/** The longest that a `Retry-After` is followed. */
const longestPauseMs = 5 * 60_000;
/** Redirects in a row. */
const mostRedirects = 5;

/** A try that failed and may be made again. */
class Transient extends Error {
  readonly pauseMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; pauseMs?: number | undefined } = {}) {
    super(message, { cause: options.cause });
    this.pauseMs = options.pauseMs;
  }
}

/** What the answer says to wait: `Retry-After`, or the hub's own header (https://huggingface.co/docs/hub/rate-limits). */
function retryAfterMs(response: Response): number | undefined {
  const reset = /(?:^|;)\s*t=(\d+)/.exec(response.headers.get("ratelimit") ?? "")?.[1];
  const text = response.headers.get("retry-after") ?? reset;
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds)
    ? Math.min(Math.max(seconds * 1000, 0), longestPauseMs)
    : undefined;
}

/** The byte range and the whole size that a response holds, as `start-end/size`. */
function rangeOf(response: Response): string {
  return response.headers.get("content-range")?.replace(/^bytes /, "") ?? "none";
}

/**
 * HTTP to the hub and to the stores that it sends to. The token goes to the hub's own origin and nowhere else, and no error
 * quotes a header or a signed address. What may pass is tried again: 408, 429 (as long as it says), 5xx, a cut connection.
 */
export class HubConnection {
  readonly endpoint: string;
  readonly repository: string;
  readonly #token: string | undefined;
  readonly #patience: HubPatience;
  /** Where the hub sent each file's readers; good for some minutes. */
  readonly #stores = new Map<string, string>();

  constructor(
    endpoint: string,
    repository: string,
    token: string | undefined,
    patience: HubPatience = usualPatience,
  ) {
    this.endpoint = endpoint;
    this.repository = repository;
    this.#token = token;
    this.#patience = patience;
  }

  /** `fetch` for the hub's library: the same, with the token where it belongs, retries, and errors for people. */
  readonly fetch: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    return this.#persist(init?.signal ?? undefined, () => this.#ask(url, init ?? {}));
  };

  /**
   * Fills `target` with a file's bytes from `start` on; a try that breaks goes on where it broke.
   *
   * @param size of the whole file, which the answer must agree with
   */
  async readRange(
    path: string,
    range: { readonly revision: string; readonly start: number; readonly size: number },
    target: Buffer,
    signal: AbortSignal,
  ): Promise<void> {
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const url = `${this.endpoint}/${this.repository}/resolve/${range.revision}/${encoded}`;
    let filled = 0;
    while (filled < target.length) {
      const before = filled;
      await this.#persist(
        signal,
        async () => {
          for await (const piece of this.#bytes(url, { ...range, filled }, target.length, signal)) {
            filled += piece.copy(target, filled);
          }
          if (filled < target.length) throw new Transient(`${path} ended early`);
        },
        () => filled > before,
      ).catch((error: unknown) => {
        if (!(error instanceof Transient) || filled === before) throw error;
      });
    }
  }

  async *#bytes(
    url: string,
    {
      start,
      size,
      filled,
    }: { readonly start: number; readonly size: number; readonly filled: number },
    length: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const first = start + filled;
    const last = start + length - 1;
    const idle = new AbortController();
    const timer = setTimeout(() => {
      idle.abort(new Transient(`no byte came for ${this.#patience.idleMs / 1000} s`));
    }, this.#patience.idleMs);
    try {
      const headers = { Range: `bytes=${first}-${last}`, "Accept-Encoding": "identity" };
      const both = AbortSignal.any([signal, idle.signal]);
      const response = await this.#ask(url, { headers, signal: both });
      const expected = `${first}-${last}/${size}`;
      const whole = response.status === 200 && first === 0 && last === size - 1;
      if (!whole && (response.status !== 206 || rangeOf(response) !== expected)) {
        await response.body?.cancel();
        throw new Transient(`asked for bytes ${expected}, got ${rangeOf(response)}`);
      }
      let left = length - filled;
      for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array<ArrayBuffer>>) {
        timer.refresh();
        const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
        if (bytes.length > left) throw new Transient("more bytes came than were asked for");
        left -= bytes.length;
        yield bytes;
      }
    } catch (error) {
      if (idle.signal.aborted && !signal.aborted) throw idle.signal.reason;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tries until it works, the user stops it, or all tries brought nothing. */
  async #persist<T>(
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    moved: () => boolean = () => false,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof UserError) throw error;
        const transient = this.#transient(error);
        if (moved()) throw transient;
        if (attempt >= this.#patience.attempts) {
          throw new UserError(
            `Hugging Face did not give ${this.repository}: ${transient.message} (${attempt} tries).`,
            { hint: "Push again later: what has arrived is kept.", cause: error },
          );
        }
        const usual = Math.min(this.#patience.pauseMs * 2 ** (attempt - 1), 30_000);
        const pause = transient.pauseMs ?? usual * (0.5 + Math.random() / 2);
        await sleep(pause, undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  #transient(error: unknown): Transient {
    if (error instanceof Transient) return error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = (cause as { code?: unknown }).code;
    const why = typeof code === "string" ? code : cause instanceof Error ? cause.name : "failure";
    return new Transient(`the connection broke (${why})`, { cause: error });
  }

  /** One request, its redirects followed by hand, so that the token stays with the hub. */
  async #ask(url: string, init: RequestInit): Promise<Response> {
    const stored = this.#stores.get(url);
    let at = stored ?? url;
    for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
      const headers = new Headers(init.headers);
      const atHub = new URL(at).origin === new URL(this.endpoint).origin;
      if (atHub && this.#token !== undefined) headers.set("Authorization", `Bearer ${this.#token}`);
      const response = await fetch(at, { ...init, headers, redirect: "manual" });
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location !== null) {
        await response.body?.cancel();
        at = new URL(location, at).href;
        continue;
      }
      if (response.ok) {
        if (!atHub) this.#stores.set(url, at);
        return response;
      }
      this.#stores.delete(url);
      await response.body?.cancel();
      // A signed address that has run out is asked for anew.
      if (!atHub && stored !== undefined && response.status === 403) at = url;
      else throw this.#refusal(response, atHub);
    }
    throw new UserError(`${this.endpoint} redirects without end.`, { hint: "Check HF_ENDPOINT." });
  }

  #refusal(response: Response, atHub: boolean): Error {
    const { status } = response;
    if (status === 408 || status === 429 || status >= 500) {
      const who = atHub ? "the hub" : "the hub's store";
      return new Transient(`${who} answered ${status}`, { pauseMs: retryAfterMs(response) });
    }
    const page = `${this.endpoint}/${this.repository}`;
    const code = response.headers.get("x-error-code");
    if (code === "GatedRepo" || status === 403) {
      const token =
        this.#token === undefined
          ? "then give a token of that account in HF_TOKEN"
          : "with the account that the token belongs to";
      return new UserError(`${this.repository} is gated on Hugging Face (${status}).`, {
        hint: `Accept its licence at ${page}, ${token}.`,
      });
    }
    if (code === "RevisionNotFound" || code === "EntryNotFound") {
      const what = code === "RevisionNotFound" ? "revision" : "file";
      return new UserError(`${this.repository} has no such ${what}.`, { hint: `Look at ${page}.` });
    }
    if (status === 401 || status === 404) {
      const secret =
        this.#token === undefined
          ? "A private one needs a token in HF_TOKEN."
          : "Check the token's rights.";
      return new UserError(`Hugging Face has no model "${this.repository}" (${status}).`, {
        hint: `Look at ${page}. ${secret}`,
      });
    }
    return new UserError(`Hugging Face refused ${this.repository}: ${status}.`, {
      hint: `Look at ${page}.`,
    });
  }
}
