import { status } from "@grpc/grpc-js";

import { OfflineError } from "../../offline-error.ts";
import type { ConfigValue, ResourceState } from "../contract.ts";
import { DefaultProviders } from "./default-providers.ts";
import type { EventStream } from "./event-stream.ts";
import { StatusError } from "./grpc.ts";
import type { Goal } from "./goal.ts";
import { unknownText } from "./property-marshal.ts";
import type { PropertyMap } from "./property-value.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import type { Invoked } from "./provider.ts";
import type { SnapshotJournal } from "./snapshot-journal.ts";
import { StoppedError } from "./step-executor.ts";
import type { StepExecutor } from "./step-executor.ts";
import { ReportedError } from "./step-generator.ts";
import type { StepGenerator } from "./step-generator.ts";
import { sameStep } from "./step-make.ts";
import { childUrn, stackType } from "./urn.ts";

/** What a program's registrations work with. */
export interface RegistrationOptions {
  readonly where: { readonly stack: string; readonly project: string };
  readonly config: ReadonlyMap<string, ConfigValue>;
  readonly generator: StepGenerator;
  readonly executor: StepExecutor;
  readonly registry: ProviderRegistry;
  readonly journal: SnapshotJournal;
  readonly events: EventStream;
  readonly preview: boolean;
  readonly continueOnError: boolean;
}

/** What became of a registration. */
export type Registered =
  // Skipped: it is no target and does not exist, so that nothing of it is known.
  | { readonly ok: true; readonly state: ResourceState; readonly skipped: boolean }
  | { readonly ok: false; readonly urn: string };

/** A resource that the program reads and does not own. */
export interface ReadGoal {
  readonly type: string;
  readonly name: string;
  readonly id: string;
  readonly parent: string;
  readonly provider: string;
  readonly inputs: PropertyMap;
  readonly dependencies: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
}

/** Turns what the program registers, reads and calls into steps, and answers with what became of them. */
export class Registrations {
  readonly #options: RegistrationOptions;
  readonly #defaults: DefaultProviders;
  #stackOutputs: { urn: string; outputs: PropertyMap } | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#defaults = new DefaultProviders(options.config, async (goal) => {
      const registered = await this.register(goal);
      if (!registered.ok)
        throw new Error(`the default provider ${registered.urn} could not be started`);
      return { urn: registered.state.urn, id: registered.state.id ?? "" };
    });
  }

  /** The provider of a resource or function: the one that it names, or its package's default one. */
  async providerFor(reference: string, packageName: string, version: string): Promise<string> {
    return reference === "" ? this.#defaults.reference(packageName, version) : reference;
  }

  /** Registers one resource and waits until it is as wanted. */
  async register(goal: Goal): Promise<Registered> {
    const { where, generator, executor } = this.#options;
    const urn = childUrn(where, goal.parent, goal.type, goal.name);
    return this.#guarded(urn, async () => {
      const steps = await generator.steps(goal);
      const executed = await executor.runChain(steps);
      if (!executed.ok) return this.#failed(urn);
      if (executed.state === undefined) throw new Error(`${urn} has no state after its steps`);
      const skipped = steps.some((step) => step.skipped === true);
      return { ok: true, state: executed.state, skipped };
    });
  }

  /** Reads a resource that the program does not own. */
  async read(goal: ReadGoal): Promise<ResourceState> {
    const { where, generator, executor, preview } = this.#options;
    const urn = childUrn(where, goal.parent, goal.type, goal.name);
    const read = await this.#guarded(urn, async () => {
      const old = generator.noteRead(urn);
      const next: ResourceState = {
        urn,
        custom: true,
        external: true,
        type: goal.type,
        id: preview && goal.id === "" ? unknownText : goal.id,
        inputs: goal.inputs,
        outputs: {},
        parent: goal.parent === "" ? undefined : goal.parent,
        provider: goal.provider,
        dependencies: goal.dependencies.length === 0 ? undefined : goal.dependencies,
        additionalSecretOutputs:
          goal.additionalSecretOutputs.length === 0 ? undefined : goal.additionalSecretOutputs,
        created: old?.external === true ? old.created : undefined,
        modified: old?.external === true ? old.modified : undefined,
      };
      const replaced = old !== undefined && old.external !== true;
      const op = replaced ? "read-replacement" : "read";
      const executed = await executor.runChain([
        { kind: "read", op, urn, old, next, logical: true, keepsOld: replaced },
      ]);
      if (!executed.ok || executed.state === undefined) return this.#failed(urn);
      return { ok: true, state: executed.state, skipped: false };
    });
    if (!read.ok) throw new Error(`${urn} could not be read`);
    return read.state;
  }

  /** Notes a component's outputs; the stack's own are noted at the end. */
  async registerOutputs(urn: string, outputs: PropertyMap): Promise<void> {
    const finished = this.#options.executor.finished(urn);
    if (finished === undefined) throw new Error(`${urn} has outputs and is not registered`);
    if (finished.state.type === stackType) {
      this.#stackOutputs = { urn, outputs };
      return;
    }
    await this.#setOutputs(urn, outputs);
  }

  /** Notes the stack's outputs; those that a failed program did not reach stay as they were. */
  async finishStackOutputs(failed: boolean): Promise<void> {
    if (this.#stackOutputs === undefined) return;
    const { urn, outputs } = this.#stackOutputs;
    const before = this.#options.executor.finished(urn)?.state.outputs ?? {};
    await this.#setOutputs(urn, failed ? { ...before, ...outputs } : outputs);
  }

  async #setOutputs(urn: string, outputs: PropertyMap): Promise<void> {
    const { executor, journal, events } = this.#options;
    const finished = executor.finished(urn);
    if (finished === undefined) return;
    const { step, state } = finished;
    const next = { ...state, outputs };
    if (step.skipped !== true) {
      journal.replace(state, next);
      await journal.saveIfChanged();
    }
    executor.setFinished(urn, step, next);
    events.stepOutputs(step, next);
  }

  /** Calls a function of a provider. */
  async invoke(provider: string, token: string, args: PropertyMap): Promise<Invoked> {
    this.#requireRunning();
    const instance = await this.#options.registry.get(provider);
    return instance.invoke(token, args, this.#options.preview);
  }

  /** Keeps a resource as it is, for updates that do not run the program. */
  keep(state: ResourceState): Promise<unknown> {
    return this.#options.executor.runChain([sameStep(state, state)]);
  }

  #failed(urn: string): Registered {
    // A program that goes on is told; one that is about to be stopped sees its engine go away.
    if (this.#options.continueOnError) return { ok: false, urn };
    throw terminating();
  }

  #requireRunning(): void {
    if (this.#options.executor.stopped) throw terminating();
  }

  async #guarded(urn: string, task: () => Promise<Registered>): Promise<Registered> {
    this.#requireRunning();
    try {
      return await task();
    } catch (error) {
      if (error instanceof StatusError) throw error;
      if (error instanceof StoppedError) throw terminating();
      if (!(error instanceof ReportedError))
        this.#options.events.diagnostic("error", explain(error), { urn });
      if (!this.#options.continueOnError) this.#options.executor.stop();
      return this.#failed(urn);
    }
  }
}

function terminating(): StatusError {
  return new StatusError(status.UNAVAILABLE, "the update was stopped");
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof OfflineError && error.hint !== undefined
    ? `${message}\n${error.hint}`
    : message;
}
