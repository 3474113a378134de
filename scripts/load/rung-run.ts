import { setTimeout as sleep } from "node:timers/promises";
import type { RequestSample, RungSamples } from "../../components/load-report/request-sample.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { LoadBudget } from "./load-budget.ts";
import type { LoadRequest, LoadTarget } from "./load-target.ts";
import { RequestFailure } from "./request-failure.ts";
import type { Workload } from "./workload.ts";

/** What every request of a load test is sent with. */
export interface LoadContext {
  readonly target: LoadTarget;
  readonly workload: Workload;
  readonly budget: LoadBudget;
  /** How long an answer may take, from when it was due. */
  readonly requestSeconds: number;
  /** More failures than this share, and the test ends. */
  readonly mostFailed: number;
}

/** A share of fewer requests says nothing. */
const leastForShare = 10;
const stopped = Symbol("stopped");

function failureOf(error: unknown): RequestFailure {
  if (error instanceof RequestFailure) return error;
  return new RequestFailure("unreachable", error instanceof Error ? error.message : String(error));
}

interface UnderWay {
  readonly reader: AnswerReader;
  readonly stop: AbortController;
}

/** One rung: its requests, the window in which tokens count, and what came of them. */
export class RungRun {
  readonly context: LoadContext;
  readonly windowSeconds: number;
  readonly #load: number;
  readonly #samples: RequestSample[] = [];
  readonly #underWay = new Set<UnderWay>();
  readonly #beganMs = performance.now();
  readonly #busySince = performance.eventLoopUtilization();
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;
  #brokenOff = false;
  #failed = 0;
  #parts = 0;
  #stoppedParts = 0;
  #closed: Pick<RungSamples, "windowSeconds" | "underWay" | "clientBusy"> | undefined;

  constructor(context: LoadContext, load: number, windowSeconds: number) {
    this.context = context;
    this.#load = load;
    this.windowSeconds = windowSeconds;
    this.#timer = setTimeout(() => {
      this.closeWindow();
    }, windowSeconds * 1000);
    this.#forget = context.budget.onEnd(() => {
      this.#brokenOff = true;
      this.closeWindow();
      for (const { stop } of this.#underWay) stop.abort(stopped);
    });
  }

  /** Whether further requests are to be sent. */
  get open(): boolean {
    return this.#closed === undefined && this.context.budget.ended === undefined;
  }

  /** Ends the window in which tokens count; the answers under way may come to their end. */
  closeWindow(): void {
    if (this.#closed !== undefined) return;
    clearTimeout(this.#timer);
    for (const { reader } of this.#underWay) reader.closeWindow();
    this.#closed = {
      windowSeconds: (performance.now() - this.#beganMs) / 1000,
      underWay: this.#underWay.size,
      clientBusy: performance.eventLoopUtilization(this.#busySince).utilization,
    };
    this.#closing.abort();
  }

  /** Waits, at most until the window ends. */
  async pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    await sleep(milliseconds, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  /**
   * Sends a request and keeps what came of it.
   *
   * @param dueMs when it was due; its times count from then
   * @returns its failure; undefined when it was answered, or the whole test was broken off
   */
  async ask(dueMs: number): Promise<RequestFailure | undefined> {
    if (this.#brokenOff) return undefined;
    const { workload, requestSeconds } = this.context;
    const asked: UnderWay = { reader: new AnswerReader(dueMs), stop: new AbortController() };
    if (this.#closed !== undefined) asked.reader.closeWindow();
    this.#underWay.add(asked);
    const timer = setTimeout(
      () => {
        asked.stop.abort();
      },
      Math.max(0, dueMs + requestSeconds * 1000 - performance.now()),
    );
    try {
      return await this.#send(workload.next(), asked);
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(asked);
    }
  }

  /** All that came of the rung. */
  finish(): RungSamples {
    this.closeWindow();
    this.#forget();
    const closed = this.#closed ?? { windowSeconds: 0, underWay: 0, clientBusy: 0 };
    const { windowSeconds, underWay, clientBusy } = closed;
    return {
      load: this.#load,
      samples: this.#samples,
      windowSeconds,
      underWay,
      partsInWindow: this.#parts,
      stoppedParts: this.#stoppedParts,
      clientBusy,
    };
  }

  async #send(
    request: LoadRequest,
    { reader, stop }: UnderWay,
  ): Promise<RequestFailure | undefined> {
    const { target, requestSeconds } = this.context;
    const heard = (piece: Uint8Array): void => {
      const before = reader.parts;
      reader.feed(piece, performance.now());
      if (this.#closed === undefined) this.#parts += reader.parts - before;
    };
    try {
      await target.send(request, heard, stop.signal);
      this.#keep(reader.sample(performance.now()));
      return undefined;
    } catch (error) {
      if (stop.signal.reason === stopped) {
        this.#stoppedParts += reader.partsInWindow;
        return undefined;
      }
      const failure = stop.signal.aborted
        ? new RequestFailure("timeout", `no whole answer in ${requestSeconds} s`)
        : failureOf(error);
      this.#keep(reader.failed(failure, performance.now()));
      return failure;
    }
  }

  #keep(sample: RequestSample): void {
    this.#samples.push(sample);
    if (sample.failure === undefined) return;
    this.#failed += 1;
    const { length } = this.#samples;
    const { mostFailed, budget } = this.context;
    if (length >= leastForShare && this.#failed > mostFailed * length) budget.end("failures");
  }
}
