import { OfflineError } from "../../offline-error.ts";
import type { PropertyMap, RunUpdate, Snapshot, UpdateOptions, UpdateResult } from "../contract.ts";
import { deleteResources, destroyedResources, unwantedResources } from "./delete-phase.ts";
import { runProgramPhase } from "./program-phase.ts";
import { refreshResources } from "./refresh-phase.ts";
import { openSession } from "./session.ts";
import type { OpenSnapshot, Session } from "./session.ts";
import { stackType } from "./urn.ts";

/** Runs one update of a stack: a preview, an up, a refresh or a destroy. */
export const runUpdate: RunUpdate = async (options) => {
  const begin = Date.now();
  const session = await openSession(options);
  let outputs: PropertyMap | undefined;
  try {
    session.events.send({ preludeEvent: { config: shownConfig(options) } });
    outputs = await work(session);
  } catch (error) {
    report(session, error);
  } finally {
    await session.close();
  }
  return summarise(session, outputs, Math.round((Date.now() - begin) / 1000));
};

function shownConfig(options: UpdateOptions): Record<string, string> {
  return Object.fromEntries(
    [...options.config].map(([key, { value, secret }]) => [key, secret ? "[secret]" : value]),
  );
}

function report(session: Session, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof OfflineError && error.hint !== undefined ? `\n${error.hint}` : "";
  session.events.diagnostic("error", message + hint);
}

async function work(session: Session): Promise<PropertyMap | undefined> {
  const { options } = session;
  if (options.runProgram === true && (options.kind === "refresh" || options.kind === "destroy")) {
    throw new OfflineError(
      `--run-program is not supported by offline/runner for ${options.kind}`,
      `Run ${options.kind} without it: it works from the stack's state alone.`,
    );
  }
  let base = options.store.load();
  warnOfUnanswered(session, base);
  if (options.kind === "refresh" || options.refreshFirst === true) {
    base = await refreshResources(session, session.open(base));
    if (options.kind === "refresh" || session.events.errors.length > 0) return stackOutputs(base);
  }
  const open = session.open(base);
  await (options.kind === "destroy" ? destroy(session, open) : deploy(session, open));
  await open.journal.saveIfChanged();
  return stackOutputs(open.journal.snapshot());
}

function warnOfUnanswered(session: Session, { pendingOperations }: Snapshot): void {
  for (const { resource, type } of pendingOperations) {
    const name = `${resource.type} ${resource.urn}`;
    const advice =
      type === "creating"
        ? "It may exist though the stack does not know it: look for it, then run `pulumi refresh --clear-pending-creates`."
        : "Run `pulumi refresh` to see what became of it.";
    session.events.diagnostic(
      "warning",
      `An earlier update was cut off while ${type} ${name}. ${advice}`,
      {
        urn: resource.urn,
      },
    );
  }
}

async function deploy(session: Session, open: OpenSnapshot): Promise<void> {
  const phase = await runProgramPhase(session, open);
  try {
    if (phase.complete) {
      const unwanted = unwantedResources(session, open, (urn) => phase.generator.wasSeen(urn));
      await deleteResources(session, open, unwanted);
    }
    await phase.registrations.finishStackOutputs(
      !phase.complete || session.events.errors.length > 0,
    );
  } finally {
    await phase.finish();
  }
}

async function destroy(session: Session, open: OpenSnapshot): Promise<void> {
  await deleteResources(session, open, destroyedResources(session, open));
}

function stackOutputs({ resources }: Snapshot): PropertyMap | undefined {
  return resources.find((state) => state.type === stackType && state.delete !== true)?.outputs;
}

function summarise(
  session: Session,
  outputs: PropertyMap | undefined,
  durationSeconds: number,
): UpdateResult {
  const { events, options } = session;
  const cancelled = options.signal.aborted;
  if (cancelled)
    events.diagnostic(
      "error",
      "The update was cancelled; what was running has ended and is recorded",
    );
  if (options.expectNoChanges === true && events.changeCount() > 0) {
    events.diagnostic("error", "No changes were expected, and there are some");
  }
  const resourceChanges = events.changes();
  const isPreview = session.preview;
  const summary = {
    maybeCorrupt: false,
    durationSeconds,
    resourceChanges,
    PolicyPacks: {},
    isPreview,
  };
  events.send({ summaryEvent: summary });
  events.send({ cancelEvent: {} });
  const failed = events.errors.length > 0;
  return {
    result: failed ? "failed" : "succeeded",
    message: events.errors[0],
    cancelled,
    resourceChanges,
    outputs,
    durationSeconds,
    plugins: session.host.plugins(),
  };
}
