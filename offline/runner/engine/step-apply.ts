import type { OpType, ResourceState } from "../contract.ts";
import type { EventStream } from "./event-stream.ts";
import { equal } from "./property-diff.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import type { Applied, ReadState, ResourceProvider } from "./provider.ts";
import { unknownText } from "./property-marshal.ts";
import { ProtectedError } from "./step-executor.ts";
import type { Step, StepOutcome } from "./step.ts";
import { isProviderType } from "./urn.ts";

/** What applying steps needs. */
export interface ApplierOptions {
  readonly registry: ProviderRegistry;
  readonly preview: boolean;
  readonly events: EventStream;
  /** Whether a resource is deleted in this update as well. */
  isDeleted(urn: string): boolean;
}

/** Does what a step says, through the resource's provider. */
export class StepApplier {
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Applies one step; rejects when it failed and left the resource as it was. */
  async apply(step: Step): Promise<StepOutcome> {
    switch (step.kind) {
      case "same":
        return this.#same(step, need(step.next));
      case "create":
        return this.#create(step, need(step.next));
      case "update":
        return this.#update(step, need(step.old), need(step.next));
      case "delete":
        return this.#delete(step, need(step.old));
      case "read":
        return this.#read(need(step.next));
      case "import":
        return this.#import(step, need(step.next));
      case "refresh":
        return this.#refresh(need(step.old));
      case "replace":
        return { state: step.next };
      case "remove-pending-replace":
        return { state: undefined };
    }
  }

  /** The operation that a step turned out to be: for a refresh what it found, else the step's own. */
  resultOp(step: Step, state: ResourceState | undefined): OpType {
    if (step.kind !== "refresh") return step.op;
    if (state === undefined) return "delete";
    return step.old !== undefined && equal(step.old.outputs, state.outputs) ? "same" : "update";
  }

  async #same(step: Step, next: ResourceState): Promise<StepOutcome> {
    if (step.skipped === true || step.old === undefined) return { state: next };
    const state: ResourceState = { ...next, id: step.old.id, outputs: step.old.outputs };
    // A provider whose settings differ and count as the same runs with the old ones, every time.
    if (isProviderType(state.type))
      await this.#options.registry.same({ ...state, inputs: step.old.inputs });
    return { state };
  }

  async #create(step: Step, next: ResourceState): Promise<StepOutcome> {
    if (!next.custom) return { state: { ...next, ...this.#createdNow() } };
    const provider = await this.#provider(next);
    const operation = { timeout: next.customTimeouts?.create, preview: this.#options.preview };
    const applied = await provider.create({ urn: step.urn, id: "" }, next.inputs, operation);
    const state = { ...next, ...appliedFields(applied), ...this.#createdNow() };
    return { state, failure: applied.failure };
  }

  #createdNow(): Partial<ResourceState> {
    if (this.#options.preview) return {};
    const now = new Date().toISOString();
    return { created: now, modified: now };
  }

  #modifiedNow(): Partial<ResourceState> {
    return this.#options.preview ? {} : { modified: new Date().toISOString() };
  }

  async #update(step: Step, old: ResourceState, next: ResourceState): Promise<StepOutcome> {
    const kept = { ...next, id: old.id, created: old.created };
    if (!next.custom) return { state: { ...kept, outputs: old.outputs, ...this.#modifiedNow() } };
    const provider = await this.#provider(next);
    const applied = await provider.update({ urn: step.urn, id: old.id ?? "" }, old, next.inputs, {
      timeout: next.customTimeouts?.update,
      preview: this.#options.preview,
      ignoreChanges: step.ignoreChanges ?? [],
    });
    return {
      state: { ...kept, ...appliedFields(applied), ...this.#modifiedNow() },
      failure: applied.failure,
    };
  }

  async #delete(step: Step, old: ResourceState): Promise<StepOutcome> {
    if (old.protect === true && step.op === "delete") {
      throw new ProtectedError(
        `${old.urn} cannot be deleted because it is protected; remove \`protect\` from it in the program and run \`pulumi up\`, or run \`pulumi state unprotect\``,
      );
    }
    const calls =
      old.custom &&
      old.external !== true &&
      old.retainOnDelete !== true &&
      !this.#goesWithAnother(old);
    if (!this.#options.preview && calls) {
      const provider = await this.#provider(old);
      const operation = { timeout: old.customTimeouts?.delete, preview: false };
      await provider.delete({ urn: old.urn, id: old.id ?? "" }, old, operation);
    }
    return { state: undefined };
  }

  #goesWithAnother(old: ResourceState): boolean {
    return (
      old.deletedWith !== undefined &&
      old.deletedWith !== "" &&
      this.#options.isDeleted(old.deletedWith)
    );
  }

  async #read(next: ResourceState): Promise<StepOutcome> {
    if (next.id === undefined || next.id === unknownText || next.id === "")
      return { state: { ...next, outputs: {} } };
    const found = await this.#readState(next, next.id, { inputs: {}, outputs: next.inputs });
    if (found === undefined)
      throw new Error(`${next.urn}: there is no resource with the id "${next.id}" to read`);
    return {
      state: { ...next, id: found.id, outputs: found.outputs, inputs: found.inputs ?? next.inputs },
    };
  }

  async #readState(
    state: ResourceState,
    id: string,
    from: { inputs: ResourceState["inputs"]; outputs: ResourceState["outputs"] },
  ): Promise<ReadState | undefined> {
    const provider = await this.#provider(state);
    return provider.read({ urn: state.urn, id }, from, { preview: this.#options.preview });
  }

  async #import(step: Step, next: ResourceState): Promise<StepOutcome> {
    const id = next.id ?? "";
    const found = await this.#readState(next, id, { inputs: {}, outputs: {} });
    if (found === undefined)
      throw new Error(`${next.urn}: there is no resource with the id "${id}" to import`);
    if (found.inputs === undefined)
      throw new Error(`${next.urn}: its provider does not support imports`);
    const provider = await this.#provider(next);
    const subject = { urn: next.urn, id: found.id };
    const old = { inputs: found.inputs, outputs: found.outputs };
    const diff = await provider.diff(subject, old, next.inputs, step.ignoreChanges ?? []);
    if (
      diff.changes === "some" ||
      (diff.changes === "unknown" && !equal(found.inputs, next.inputs))
    ) {
      const keys = diff.changedKeys.length > 0 ? ` (${diff.changedKeys.join(", ")})` : "";
      const message = `${next.urn}: the program's inputs do not match the resource to import${keys}`;
      if (!this.#options.preview) throw new Error(message);
      this.#options.events.diagnostic("warning", `${message}; importing it will fail`, {
        urn: next.urn,
      });
    }
    return { state: { ...next, id: found.id, outputs: found.outputs, ...this.#createdNow() } };
  }

  async #refresh(old: ResourceState): Promise<StepOutcome> {
    if (!old.custom || isProviderType(old.type) || old.pendingReplacement === true)
      return { state: old };
    const found = await this.#readState(old, old.id ?? "", old);
    if (found === undefined) return { state: undefined };
    const state: ResourceState = {
      ...old,
      initErrors: found.initErrors,
      id: found.id,
      outputs: found.outputs,
      inputs: found.inputs ?? old.inputs,
    };
    const changed = !equal(old.outputs, state.outputs) || !equal(old.inputs, state.inputs);
    return {
      state:
        changed && !this.#options.preview
          ? { ...state, modified: new Date().toISOString() }
          : state,
    };
  }

  async #provider(state: ResourceState): Promise<ResourceProvider> {
    const { registry } = this.#options;
    if (isProviderType(state.type)) return registry;
    return registry.get(state.provider ?? "");
  }
}

function appliedFields(
  applied: Applied,
): Partial<ResourceState> & { outputs: ResourceState["outputs"] } {
  const errors = applied.initErrors === undefined ? {} : { initErrors: applied.initErrors };
  return { id: applied.id, outputs: applied.outputs, ...errors };
}

function need(state: ResourceState | undefined): ResourceState {
  if (state === undefined) throw new Error("a step lacks the state that it is about");
  return state;
}
