import type { ResourceState } from "../contract.ts";
import { aliasUrns } from "./aliases.ts";
import type { Where } from "./aliases.ts";
import type { EventStream } from "./event-stream.ts";
import { inheritGoal } from "./goal.ts";
import type { Goal } from "./goal.ts";
import { applyIgnoreChanges } from "./ignore-changes.ts";
import { Mutex } from "./mutex.ts";
import type { OldProviders } from "./old-providers.ts";
import type { PropertyMap } from "./property-value.ts";
import type { ProviderRegistry } from "./provider-registry.ts";
import type { ResourceProvider } from "./provider.ts";
import { dependenciesOf } from "./references.ts";
import { Replacement } from "./replacement.ts";
import type { SnapshotJournal } from "./snapshot-journal.ts";
import {
  applyReplaceOnChanges,
  diffComponent,
  diffResource,
  replaceBecauseOf,
} from "./step-diff.ts";
import { createStep, goalState, sameStep } from "./step-make.ts";
import type { Step } from "./step.ts";
import type { Targets } from "./targets.ts";
import { childUrn, isProviderType, parseReference } from "./urn.ts";

/** What a generator works with. */
export interface GeneratorOptions {
  readonly where: Where;
  readonly journal: SnapshotJournal;
  readonly registry: ProviderRegistry;
  readonly providers: OldProviders;
  readonly targets: Targets;
  readonly events: EventStream;
  readonly preview: boolean;
}

/** An error that was told to the user already. */
export class ReportedError extends Error {
  override readonly name = "ReportedError";
}

/** One resource on its way from goal to steps. */
interface Subject {
  readonly goal: Goal;
  readonly old: ResourceState | undefined;
  readonly provider: ResourceProvider | undefined;
  /** The resource as wanted, with checked inputs. */
  readonly next: ResourceState;
}

/** Decides what is to be done for each resource that the program registers. */
export class StepGenerator {
  readonly #options: GeneratorOptions;
  readonly #olds: Map<string, ResourceState>;
  readonly #goals = new Map<string, Goal>();
  readonly #mutex = new Mutex();
  readonly #replacement: Replacement;
  /** New URN to the old one under which the resource was found. */
  readonly #foundAs = new Map<string, string>();
  /** Old URN to the new one that claims it. */
  readonly #claimed = new Map<string, string>();
  readonly #seen = new Set<string>();
  readonly #skipped = new Set<string>();

  constructor(options: GeneratorOptions) {
    this.#options = options;
    const present = options.journal.base().filter((state) => state.delete !== true);
    this.#olds = new Map(present.map((state) => [state.urn, state]));
    this.#replacement = new Replacement({ ...options, seen: this.#seen, resources: present });
  }

  /** Whether the program has registered (or read) a resource, under this URN or as its new one. */
  wasSeen(urn: string): boolean {
    return this.#seen.has(urn) || this.#claimed.has(urn);
  }

  /** Marks a resource as read by the program; gives what it was before. */
  noteRead(urn: string): ResourceState | undefined {
    this.#requireUnseen(urn);
    return this.#olds.get(urn);
  }

  /** The steps for one resource, to be run one after the other. */
  steps(goal: Goal): Promise<readonly Step[]> {
    return this.#mutex.run(() => this.#steps(goal));
  }

  async #steps(asked: Goal): Promise<readonly Step[]> {
    const { where, targets } = this.#options;
    const goal = inheritGoal(asked, this.#goals.get(asked.parent));
    const urn = childUrn(where, goal.parent, goal.type, goal.name);
    this.#requireUnseen(urn);
    this.#goals.set(urn, goal);
    const old = this.#findOld(goal, urn);
    const wanted = goalState(goal, urn, old, this.#foundAs.get(urn));
    if (isProviderType(goal.type)) this.#options.providers.noteNew(wanted);
    const provider = await this.#provider(goal);
    if (this.#imports(goal, old)) return this.#importSteps({ goal, old, provider, next: wanted });
    if (!targets.includes(wanted)) return this.#untargeted(wanted, old);
    this.#requireDependencies(wanted);
    const recreates = this.#replacement.wasDeleted(old);
    const fresh = old === undefined || recreates || old.external === true || targets.replaces(urn);
    const inputs = await this.#check(goal, urn, provider, fresh ? undefined : old);
    const subject: Subject = { goal, old, provider, next: { ...wanted, inputs } };
    if (old === undefined) return [createStep(subject.next)];
    if (recreates) return this.#replacement.recreate(old, subject.next);
    if (old.external === true)
      return this.#replacement.createFirst(old, subject.next, replaceBecauseOf(""));
    return this.#compare({ ...subject, old });
  }

  #requireUnseen(urn: string): void {
    if (this.#seen.has(urn))
      throw new Error(`${urn} is registered twice; the name of a resource must be its own`);
    const claimed = this.#claimed.get(urn);
    if (claimed !== undefined)
      throw new Error(`${urn} is registered, and ${claimed} has it as an alias`);
    this.#seen.add(urn);
  }

  #findOld(goal: Goal, urn: string): ResourceState | undefined {
    const present = this.#olds.get(urn);
    if (present !== undefined) return present;
    for (const alias of aliasUrns(goal, this.#options.where, (parent) =>
      this.#foundAs.get(parent),
    )) {
      const found = this.#olds.get(alias);
      if (found === undefined) continue;
      const claimed = this.#claimed.get(alias) ?? (this.#seen.has(alias) ? alias : undefined);
      if (claimed !== undefined)
        throw new Error(`${urn} has the alias ${alias}, and so has ${claimed}`);
      this.#claimed.set(alias, urn);
      this.#foundAs.set(urn, alias);
      this.#options.journal.rename(alias, urn);
      this.#options.providers.rename(alias, urn);
      return found;
    }
    return undefined;
  }

  async #provider(goal: Goal): Promise<ResourceProvider | undefined> {
    if (!goal.custom) return undefined;
    return isProviderType(goal.type)
      ? this.#options.registry
      : this.#options.registry.get(goal.provider);
  }

  #imports(goal: Goal, old: ResourceState | undefined): boolean {
    if (!goal.custom || goal.importId === "") return false;
    return old === undefined || old.external === true || (old.importID ?? old.id) !== goal.importId;
  }

  async #importSteps(subject: Subject): Promise<readonly Step[]> {
    const { goal, old, provider } = subject;
    const inputs = await this.#check(goal, subject.next.urn, provider, undefined);
    const next = { ...subject.next, inputs, id: goal.importId, importID: goal.importId };
    return this.#replacement.importSteps(old, next, goal.ignoreChanges);
  }

  #untargeted(next: ResourceState, old: ResourceState | undefined): readonly Step[] {
    if (old === undefined) {
      this.#skipped.add(next.urn);
      return [{ ...sameStep(undefined, next), skipped: true }];
    }
    if (old.urn !== next.urn) return [sameStep(old, { ...old, urn: next.urn })];
    return [...this.#carryOver(old), sameStep(old, old)];
  }

  /** What an untouched resource depends on and the program did not register has to keep its place before it. */
  #carryOver(state: ResourceState): Step[] {
    const steps: Step[] = [];
    for (const urn of dependenciesOf(state)) {
      const needed = this.#olds.get(urn);
      if (needed === undefined || this.wasSeen(urn)) continue;
      this.#seen.add(urn);
      steps.push(...this.#carryOver(needed), sameStep(needed, needed));
    }
    return steps;
  }

  #requireDependencies(next: ResourceState): void {
    const missing = [...dependenciesOf(next)].find((urn) => this.#skipped.has(urn));
    if (missing === undefined) return;
    throw new Error(
      `${next.urn} is a target and depends on ${missing}, which does not exist and is no target; add it`,
    );
  }

  async #check(
    goal: Goal,
    urn: string,
    provider: ResourceProvider | undefined,
    old: ResourceState | undefined,
  ): Promise<PropertyMap> {
    const news =
      old === undefined
        ? goal.inputs
        : applyIgnoreChanges(goal.inputs, old.inputs, goal.ignoreChanges);
    if (provider === undefined) return news;
    const checked = await provider.check({ urn, id: old?.id ?? "" }, old?.inputs ?? {}, news);
    if (checked.failures.length === 0) return checked.inputs;
    for (const { property, reason } of checked.failures) {
      const place = property === "" ? "" : ` property "${property}"`;
      this.#options.events.diagnostic("error", `${goal.type} "${goal.name}"${place}: ${reason}`, {
        urn,
      });
    }
    throw new ReportedError(`${urn}: the provider does not accept its inputs`);
  }

  async #compare(subject: Subject & { old: ResourceState }): Promise<readonly Step[]> {
    const { goal, old, provider, next } = subject;
    const diff = applyReplaceOnChanges(await this.#diff(subject), goal, old);
    const changed = diff.changes === "some" || old.pendingReplacement === true;
    if (!changed) {
      return (old.initErrors ?? []).length > 0
        ? [updateOf(old, next, goal, {})]
        : [sameStep(old, next)];
    }
    if (diff.replaceKeys.length === 0 && old.pendingReplacement !== true) {
      const { changedKeys, detailedDiff } = diff;
      return [updateOf(old, next, goal, { diffs: changedKeys, detailedDiff })];
    }
    // What was carried over from the old resource does not hold for a new one.
    const inputs = this.#options.targets.replaces(next.urn)
      ? next.inputs
      : await this.#check(goal, next.urn, provider, undefined);
    return this.#replacement.replace(goal, old, { ...next, inputs }, diff);
  }

  async #diff(
    subject: Subject & { old: ResourceState },
  ): Promise<ReturnType<typeof replaceBecauseOf>> {
    const { goal, old, provider, next } = subject;
    if (this.#options.targets.replaces(next.urn)) return replaceBecauseOf("id");
    if (await this.#providerReplaces(old, next)) return replaceBecauseOf("provider");
    if (provider === undefined) return diffComponent(old, next.inputs);
    return diffResource(
      provider,
      old,
      next.urn,
      next.inputs,
      goal.ignoreChanges,
      this.#options.events,
    );
  }

  /** Another provider replaces a resource only if the new provider says that it cannot go on with the old one's. */
  async #providerReplaces(old: ResourceState, next: ResourceState): Promise<boolean> {
    const before = old.provider ?? "";
    const after = next.provider ?? "";
    if (before === after) return false;
    if (before === "" || after === "") return true;
    const { providers, registry } = this.#options;
    if (this.#claimed.get(parseReference(before).urn) === parseReference(after).urn) return false;
    const oldProvider = providers.find(before);
    const newProvider = providers.findNew(parseReference(after).urn);
    if (oldProvider === undefined || newProvider === undefined) return true;
    return registry.replaces(after, oldProvider, newProvider.inputs);
  }
}

function updateOf(
  old: ResourceState,
  next: ResourceState,
  goal: Goal,
  differences: Pick<Step, "diffs" | "detailedDiff">,
): Step {
  const { ignoreChanges } = goal;
  return {
    kind: "update",
    op: "update",
    urn: next.urn,
    old,
    next,
    logical: true,
    ignoreChanges,
    ...differences,
  };
}
