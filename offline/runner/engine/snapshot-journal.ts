import type { OperationType, PendingOperation, ResourceState, Snapshot } from "../contract.ts";
import { renameReferences } from "./references.ts";

/** An operation that was begun and is to be ended. */
export interface OpenOperation {
  readonly operation: PendingOperation;
}

interface Entry {
  state: ResourceState;
  done: boolean;
}

/**
 * Keeps the stack's state while steps change it: what the steps of this update have settled comes first, in the order in
 * which it was settled, then what of the old state was not reached yet. That order keeps every resource behind all
 * that it depends on.
 */
export class SnapshotJournal {
  readonly #base: Entry[];
  readonly #news: Entry[] = [];
  readonly #byState = new Map<ResourceState, Entry>();
  readonly #open = new Set<OpenOperation>();
  readonly #renamed = new Map<string, string>();
  readonly #save: (snapshot: Snapshot) => Promise<void>;
  #kept: readonly PendingOperation[];
  #dirty = false;

  /** `save` undefined keeps nothing: for previews. */
  constructor(base: Snapshot, save: ((snapshot: Snapshot) => Promise<void>) | undefined) {
    this.#base = base.resources.map((state) => this.#entry(state));
    // Only a creation leaves something behind that nobody knows of.
    this.#kept = base.pendingOperations.filter((operation) => operation.type === "creating");
    this.#save = save ?? (() => Promise.resolve());
  }

  #entry(state: ResourceState): Entry {
    const entry: Entry = { state, done: false };
    this.#byState.set(state, entry);
    return entry;
  }

  /** Creations of an earlier update that got no answer. */
  get unanswered(): readonly PendingOperation[] {
    return this.#kept;
  }

  /** Forgets them. */
  forgetUnanswered(): void {
    this.#dirty ||= this.#kept.length > 0;
    this.#kept = [];
  }

  /** The old resources that no step has settled yet. */
  base(): ResourceState[] {
    return this.#base.filter((entry) => !entry.done).map((entry) => entry.state);
  }

  /** Records and saves that an operation begins. */
  async begin(type: OperationType, resource: ResourceState): Promise<OpenOperation> {
    const open: OpenOperation = { operation: { type, resource } };
    this.#open.add(open);
    await this.save();
    return open;
  }

  /** Records and saves that an operation ended. */
  async end(open: OpenOperation): Promise<void> {
    this.#open.delete(open);
    await this.save();
  }

  /** Leaves an operation open for ever, since nobody can say what became of it. */
  async abandon(open: OpenOperation): Promise<void> {
    this.#open.delete(open);
    if (open.operation.type === "creating") this.#kept = [...this.#kept, open.operation];
    await this.save();
  }

  /** An old resource has got its place among the new ones, or is gone. */
  markDone(state: ResourceState): void {
    const entry = this.#byState.get(state);
    if (entry === undefined) return;
    entry.done = true;
    this.#dirty = true;
  }

  /** Adds a resource that a step has settled. */
  markNew(state: ResourceState): void {
    this.#news.push(this.#entry(state));
    this.#dirty = true;
  }

  /** Puts one state in the place of another, new or old. */
  replace(state: ResourceState, next: ResourceState): void {
    const entry = this.#byState.get(state);
    if (entry === undefined) throw new Error(`${state.urn} is not in the snapshot`);
    // The earlier state stays a name of the entry: steps that were planned with it find it by that.
    entry.state = next;
    this.#byState.set(next, entry);
    this.#dirty = true;
  }

  /** From now on references to the one URN are to the other. */
  rename(from: string, to: string): void {
    this.#renamed.set(from, to);
    this.#dirty = true;
  }

  /** The stack as it is now. */
  snapshot(): Snapshot {
    const states = [...this.#news, ...this.#base]
      .filter((entry) => !entry.done)
      .map((entry) => entry.state);
    const resources =
      this.#renamed.size === 0
        ? states
        : states.map((state) => renameReferences(state, this.#renamed));
    return {
      resources,
      pendingOperations: [...this.#kept, ...[...this.#open].map((open) => open.operation)],
    };
  }

  /** Saves what is not saved. */
  async save(): Promise<void> {
    this.#dirty = false;
    await this.#save(this.snapshot());
  }

  /** Saves if anything was recorded since the last time. */
  async saveIfChanged(): Promise<void> {
    if (this.#dirty) await this.save();
  }
}
