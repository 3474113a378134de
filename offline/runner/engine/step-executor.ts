import type { OperationType, ResourceState } from "../contract.ts";
import { OfflineError } from "../../offline-error.ts";
import type { EventStream } from "./event-stream.ts";
import { markSecretOutputs } from "./secret-outputs.ts";
import { Semaphore } from "./semaphore.ts";
import type { OpenOperation, SnapshotJournal } from "./snapshot-journal.ts";
import type { StepApplier } from "./step-apply.ts";
import type { Step, StepKind } from "./step.ts";
import { equal } from "./property-diff.ts";
import { ProviderError } from "./provider.ts";

/** Said to whoever waits for a step that does not run any more. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** What an executor works with. */
export interface ExecutorOptions {
  readonly parallel: number;
  readonly continueOnError: boolean;
  readonly preview: boolean;
  readonly journal: SnapshotJournal;
  readonly events: EventStream;
  readonly applier: StepApplier;
  /** Called once when the first step fails and nothing new starts any more. */
  onStop(): void;
}

/** What became of a step: its state, or that it failed and others go on. */
export type Executed =
  { readonly ok: true; readonly state: ResourceState | undefined } | { readonly ok: false };

const pendingTypes: Partial<Record<StepKind, OperationType>> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  read: "reading",
  import: "importing",
};

/** Runs steps, as many at a time as allowed, and records each in the journal before and after. */
export class StepExecutor {
  readonly #options: ExecutorOptions;
  readonly #slots: Semaphore;
  readonly #finished = new Map<string, { step: Step; state: ResourceState }>();
  #stopped = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#slots = new Semaphore(options.parallel);
  }

  /** True once nothing new starts. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Lets running steps end and starts nothing new. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.onStop();
  }

  /** Resolves when no step runs. */
  idle(): Promise<void> {
    return this.#slots.idle();
  }

  /** What a resource of this update became, and by which step. */
  finished(urn: string): { step: Step; state: ResourceState } | undefined {
    return this.#finished.get(urn);
  }

  /** Notes a new state of a finished resource. */
  setFinished(urn: string, step: Step, state: ResourceState): void {
    this.#finished.set(urn, { step, state });
  }

  /** Runs steps one after the other in one slot; gives what the last one gave. Rejects with {@link StoppedError} when stopped. */
  async runChain(steps: readonly Step[]): Promise<Executed> {
    return this.#slots.use(async () => {
      let last: Executed = { ok: true, state: undefined };
      let answer: Executed = last;
      for (const step of steps) {
        if (this.#stopped) throw new StoppedError("the update was stopped");
        last = await this.#run(step);
        if (!last.ok) return last;
        if (step.kind !== "replace") answer = last;
      }
      return answer;
    });
  }

  async #run(step: Step): Promise<Executed> {
    const { events } = this.#options;
    events.stepBegins(step);
    const open = await this.#begin(step);
    try {
      const outcome = await this.#options.applier.apply(step);
      const state = outcome.state === undefined ? undefined : markSecretOutputs(outcome.state);
      this.#record(step, state);
      await this.#end(open, step, state);
      if (outcome.failure !== undefined)
        return this.#failed(step, new Error(outcome.failure), false);
      if (state !== undefined && step.kind !== "replace" && step.kind !== "refresh")
        this.#finished.set(step.urn, { step, state });
      events.stepDone(step, state, this.#options.applier.resultOp(step, state));
      return { ok: true, state };
    } catch (error) {
      const outcomeUnknown = error instanceof ProviderError && error.outcomeUnknown;
      if (open !== undefined) await this.#giveUp(open, outcomeUnknown);
      return this.#failed(step, error, outcomeUnknown);
    }
  }

  async #begin(step: Step): Promise<OpenOperation | undefined> {
    const type = pendingTypes[step.kind];
    const subject = step.kind === "delete" || step.kind === "update" ? step.old : step.next;
    if (
      type === undefined ||
      subject === undefined ||
      this.#options.preview ||
      !touches(step, subject)
    )
      return undefined;
    return this.#options.journal.begin(type, subject);
  }

  async #end(
    open: OpenOperation | undefined,
    step: Step,
    state: ResourceState | undefined,
  ): Promise<void> {
    if (open !== undefined) await this.#options.journal.end(open);
    else if (step.kind !== "same" || !sameState(step.old, state))
      await this.#options.journal.saveIfChanged();
  }

  async #giveUp(open: OpenOperation, outcomeUnknown: boolean): Promise<void> {
    const { journal } = this.#options;
    await (outcomeUnknown ? journal.abandon(open) : journal.end(open));
  }

  #record(step: Step, state: ResourceState | undefined): void {
    const { journal } = this.#options;
    // A refresh gives its state to the whole, which is put together in the old order.
    if (step.skipped === true || step.kind === "replace" || step.kind === "refresh") return;
    const { old } = step;
    if (step.kind === "delete" && step.awaitsReplacement === true && old !== undefined) {
      journal.replace(old, { ...old, pendingReplacement: true });
      return;
    }
    if (step.keepsOld === true && old !== undefined) journal.replace(old, { ...old, delete: true });
    else if (old !== undefined) journal.markDone(old);
    if (state !== undefined) journal.markNew(state);
  }

  #failed(step: Step, error: unknown, outcomeUnknown: boolean): Executed {
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof OfflineError && error.hint !== undefined ? `\n${error.hint}` : "";
    this.#options.events.diagnostic("error", `${message}${hint}`, { urn: step.urn });
    this.#options.events.stepFailed(step, outcomeUnknown);
    if (!this.#options.continueOnError && !(error instanceof ProtectedError)) this.stop();
    return { ok: false };
  }
}

/** A resource that may not be deleted; the other deletions are still tried, so that all such are reported. */
export class ProtectedError extends Error {
  override readonly name = "ProtectedError";
}

function touches(step: Step, subject: ResourceState): boolean {
  return (
    subject.custom &&
    !(step.kind === "delete" && (subject.external === true || subject.retainOnDelete === true))
  );
}

function sameState(old: ResourceState | undefined, state: ResourceState | undefined): boolean {
  if (old === undefined || state === undefined) return false;
  const { inputs: oldInputs, outputs: oldOutputs, ...oldRest } = old;
  const { inputs, outputs, ...rest } = state;
  return (
    equal(oldInputs, inputs) &&
    equal(oldOutputs, outputs) &&
    JSON.stringify(sorted(oldRest)) === JSON.stringify(sorted(rest))
  );
}

function sorted(fields: object): unknown[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== false)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
