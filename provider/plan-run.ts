import type { BootstrapPlan } from "../components/bootstrap/plan.ts";
import type { BootstrapStep, StepName } from "../components/bootstrap/plan-steps.ts";
import { UserError } from "../components/user-error.ts";
import { Gate } from "./adapters/gate.ts";

/** What a step came to. */
export interface StepOutcome {
  readonly changed: boolean;
  /** A few words for the log. */
  readonly note?: string | undefined;
}

/** One step, done. */
export interface StepRecord {
  readonly name: string;
  readonly seconds: number;
  readonly changed: boolean;
}

/**
 * Runs the steps of a plan: each when those before it have ended, side by side where they can be, those that install
 * packages one at a time. After a failure nothing new begins, and what runs is awaited.
 */
export class PlanRun {
  readonly records: StepRecord[] = [];
  readonly #act: (step: BootstrapStep) => Promise<StepOutcome>;
  readonly #tell: (line: string) => void;
  readonly #packages = new Gate(1);
  readonly #running = new Map<StepName, Promise<unknown>>();
  readonly #failures: unknown[] = [];
  #pause: Promise<void> | undefined;

  constructor(act: (step: BootstrapStep) => Promise<StepOutcome>, tell: (line: string) => void) {
    this.#act = act;
    this.#tell = tell;
  }

  /** @throws the failure of a step, or one UserError with all of them */
  async run({ steps }: Pick<BootstrapPlan, "steps">): Promise<void> {
    const ended = new Map<StepName, Promise<void>>();
    for (const step of steps) {
      const before = step.after.flatMap((name) => ended.get(name) ?? []);
      ended.set(
        step.name,
        Promise.all(before).then(() => this.#step(step)),
      );
    }
    await Promise.all(ended.values());
    if (this.#failures.length > 0) throw together(this.#failures);
  }

  /** Runs something while no other step runs and none begins, such as a reboot; asked for by the step `during`. */
  async alone(during: StepName, act: () => Promise<void>): Promise<void> {
    const pause = Promise.withResolvers<undefined>();
    this.#pause = pause.promise;
    try {
      const others = [...this.#running].filter(([name]) => name !== during);
      await Promise.allSettled(others.map(([, running]) => running));
      await act();
    } finally {
      this.#pause = undefined;
      pause.resolve(undefined);
    }
  }

  async #step(step: BootstrapStep): Promise<void> {
    const work = async (): Promise<void> => {
      while (this.#pause !== undefined) await this.#pause;
      if (this.#failures.length > 0) return;
      const running = this.#timed(step);
      this.#running.set(step.name, running);
      await running.catch((error: unknown) => this.#failures.push(error));
      this.#running.delete(step.name);
    };
    await (step.usesPackages ? this.#packages.run(work) : work());
  }

  async #timed(step: BootstrapStep): Promise<void> {
    const began = Date.now();
    const { changed, note } = await this.#act(step);
    const seconds = Math.round((Date.now() - began) / 100) / 10;
    this.records.push({ name: step.name, seconds, changed });
    const told = note === undefined ? "" : `: ${note}`;
    this.#tell(`${step.name} ${changed ? "done" : "already so"} in ${seconds.toFixed(1)} s${told}`);
  }
}

function together(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (failures.length === 1) return first;
  const told = failures.map((failure) =>
    failure instanceof Error ? failure.message : String(failure),
  );
  const hints = failures.flatMap((failure) =>
    failure instanceof UserError && failure.hint !== undefined ? [failure.hint] : [],
  );
  return new UserError("several steps failed", {
    problems: told,
    hint: hints.join(" "),
    cause: first,
  });
}
