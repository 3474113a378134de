/** Why a load test ended. */
export type EndReason =
  "done" | "max-seconds" | "max-requests" | "deadline" | "failures" | "interrupted";

/** How much a load test may take, in all: nothing is sent beyond it, whatever happens. */
export class LoadBudget {
  readonly #endMs: number;
  readonly #endReason: EndReason;
  #requestsLeft: number;
  #ended: EndReason | undefined;
  readonly #stops = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;

  /** @param deadlineSeconds until the lease of what is asked ends, less a margin; undefined without one */
  constructor(maxSeconds: number, maxRequests: number, deadlineSeconds: number | undefined) {
    const leased = deadlineSeconds !== undefined && deadlineSeconds < maxSeconds;
    const seconds = leased ? deadlineSeconds : maxSeconds;
    this.#endReason = leased ? "deadline" : "max-seconds";
    this.#endMs = performance.now() + seconds * 1000;
    this.#requestsLeft = maxRequests;
    this.#timer = setTimeout(() => {
      this.end(this.#endReason);
    }, seconds * 1000);
  }

  /** Why nothing more is sent; undefined while there is something left. */
  get ended(): EndReason | undefined {
    return this.#ended;
  }

  get secondsLeft(): number {
    return Math.max(0, (this.#endMs - performance.now()) / 1000);
  }

  /** Takes one request of what is left. @returns false when there is none */
  take(): boolean {
    if (this.#ended !== undefined) return false;
    if (this.#requestsLeft === 0) {
      // What is under way may come to its end: it was allowed.
      this.#ended = "max-requests";
      return false;
    }
    this.#requestsLeft -= 1;
    return true;
  }

  /** Ends it now: what is under way is broken off. */
  end(reason: EndReason): void {
    this.#ended ??= reason;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  /** Has something stopped when it ends. @returns what forgets it again */
  onEnd(stop: () => void): () => void {
    this.#stops.add(stop);
    return () => this.#stops.delete(stop);
  }

  /** Lets the process end. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
