import type { ResourceState, Snapshot } from "../contract.ts";
import { dropReferences } from "./references.ts";
import type { OpenSnapshot, Session } from "./session.ts";
import { StoppedError } from "./step-executor.ts";

/**
 * Reads every resource again, side by side, and gives the state as it was found: drift recorded, what is gone dropped,
 * in the order that it had.
 */
export async function refreshResources(session: Session, open: OpenSnapshot): Promise<Snapshot> {
  const { journal, executor, providers } = open;
  if (session.options.clearPendingCreates === true) journal.forgetUnanswered();
  const before = journal.base();
  const found = new Map<ResourceState, ResourceState | undefined>();
  await Promise.all(
    before.map(async (state) => {
      if (!session.targets.includes(state)) return;
      try {
        if (state.custom && state.pendingReplacement !== true)
          await providers.ensure(state.provider);
        const { urn } = state;
        const executed = await executor.runChain([
          { kind: "refresh", op: "refresh", urn, old: state, next: state, logical: false },
        ]);
        if (executed.ok) found.set(state, executed.state);
      } catch (error) {
        if (error instanceof StoppedError) return;
        session.events.diagnostic("error", error instanceof Error ? error.message : String(error), {
          urn: state.urn,
        });
        if (session.options.continueOnError !== true) executor.stop();
      }
    }),
  );
  return rebuild(session, open, before, found);
}

async function rebuild(
  session: Session,
  { journal }: OpenSnapshot,
  before: readonly ResourceState[],
  found: ReadonlyMap<ResourceState, ResourceState | undefined>,
): Promise<Snapshot> {
  const gone = new Set(
    before
      .filter((state) => found.has(state) && found.get(state) === undefined)
      .map(({ urn }) => urn),
  );
  for (const state of before)
    if (found.get(state) !== undefined && state.delete !== true) gone.delete(state.urn);
  const resources = before.flatMap((state) => {
    const refreshed = found.has(state) ? found.get(state) : state;
    return refreshed === undefined ? [] : [dropReferences(refreshed, gone)];
  });
  const snapshot = { resources, pendingOperations: journal.unanswered };
  if (!session.preview) await session.options.store.save(snapshot);
  return snapshot;
}
