import type { ResourceState } from "../contract.ts";
import { deleteInOrder, dependentsOf } from "./dependents.ts";
import type { OpenSnapshot, Session } from "./session.ts";
import { StoppedError } from "./step-executor.ts";
import { deleteStep } from "./step-make.ts";

/**
 * Deletes resources, each after all that depend on it. What the targets do not name stays; so does, for a destroy that
 * excludes the protected, what is protected and all that it needs.
 */
export async function deleteResources(
  session: Session,
  { executor, providers }: OpenSnapshot,
  condemned: readonly ResourceState[],
): Promise<void> {
  for (const state of condemned) session.deleted.add(state.urn);
  await deleteInOrder(condemned, async (state) => {
    if (executor.stopped) return false;
    try {
      if (callsProvider(state)) await providers.ensure(state.provider);
      const executed = await executor.runChain([deleteStep(state)]);
      return executed.ok;
    } catch (error) {
      if (error instanceof StoppedError) return false;
      const message = error instanceof Error ? error.message : String(error);
      session.events.diagnostic("error", message, { urn: state.urn });
      if (session.options.continueOnError !== true) executor.stop();
      return false;
    }
  });
}

function callsProvider(state: ResourceState): boolean {
  return (
    state.custom &&
    state.external !== true &&
    state.retainOnDelete !== true &&
    state.pendingReplacement !== true
  );
}

/** What an update deletes: the replaced, and what the program did not register; within the targets. */
export function unwantedResources(
  session: Session,
  { journal }: OpenSnapshot,
  wasSeen: (urn: string) => boolean,
): ResourceState[] {
  const unwanted = journal.base().filter((state) => state.delete === true || !wasSeen(state.urn));
  return withinTargets(session, unwanted);
}

/** What a destroy deletes: everything, within the targets and without the protected if asked so. */
export function destroyedResources(session: Session, { journal }: OpenSnapshot): ResourceState[] {
  const all = journal.base();
  const condemned = withinTargets(session, all);
  if (session.options.excludeProtected !== true) return condemned;
  const kept = neededByProtected(all);
  return condemned.filter((state) => !kept.has(state));
}

function withinTargets(session: Session, states: readonly ResourceState[]): ResourceState[] {
  const { targets } = session;
  if (!targets.constrained) return [...states];
  const condemned = new Set(states.filter((state) => targets.mayDelete(state)));
  for (const state of condemned) {
    const left = dependentsOf(states, state, { children: true }).filter(
      (one) => !condemned.has(one),
    );
    for (const dependent of left) {
      session.events.diagnostic(
        "error",
        `${state.urn} cannot be deleted: ${dependent.urn} depends on it and is no target; add it, or use --target-dependents`,
        { urn: state.urn },
      );
      condemned.delete(state);
    }
  }
  return states.filter((state) => condemned.has(state));
}

function neededByProtected(states: readonly ResourceState[]): Set<ResourceState> {
  const kept = new Set<ResourceState>();
  for (const state of states) {
    if (state.protect === true) kept.add(state);
    else if (dependentsOf(states, state, { children: true }).some((one) => one.protect === true))
      kept.add(state);
  }
  return kept;
}
