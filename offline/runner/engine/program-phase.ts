import { serve } from "./grpc.ts";
import type { RunningServer } from "./grpc.ts";
import { Monitor } from "./monitor.ts";
import { programFolder, startProgram } from "./program.ts";
import type { RunningProgram } from "./program.ts";
import { Registrations } from "./registrations.ts";
import type { OpenSnapshot, Session } from "./session.ts";
import { StepGenerator } from "./step-generator.ts";
import { timeouts } from "./timeouts.ts";

/** What a program left to do. */
export interface ProgramPhase {
  readonly generator: StepGenerator;
  readonly registrations: Registrations;
  /** True when the program registered all that it wants. */
  readonly complete: boolean;
  /** Lets the program end, now that the rest is done. */
  finish(): Promise<void>;
}

/** Runs the program until it has registered everything, failed, or was stopped. */
export async function runProgramPhase(session: Session, open: OpenSnapshot): Promise<ProgramPhase> {
  const { options, events, preview, parallel, registry, targets } = session;
  const where = { stack: options.stack, project: options.project.name };
  const organization = options.organization ?? "organization";
  const generator = new StepGenerator({ where, ...open, registry, targets, events, preview });
  const continueOnError = options.continueOnError === true;
  const registrations = new Registrations({
    where,
    config: options.config,
    generator,
    ...open,
    registry,
    events,
    preview,
    continueOnError,
  });
  const registered = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  const folder = programFolder(options.project);
  const info = {
    ...where,
    organization,
    preview,
    parallel,
    config: options.config,
    folder,
    root: options.project.root,
  };
  const monitor = new Monitor(info, registrations, async () => {
    registered.resolve(undefined);
    await released.promise;
  });
  const server = await serve((one) => {
    monitor.addTo(one);
  });
  const program = startOrStop(session, organization, server);
  const complete = await waitForProgram(session, open, program, registered.promise);
  return {
    generator,
    registrations,
    complete,
    finish: async () => {
      released.resolve(undefined);
      await endProgram(program);
      server.stop();
    },
  };
}

/** Starts the program of a session; ends the server when it cannot be started. */
function startOrStop(
  session: Session,
  organization: string,
  server: RunningServer,
): RunningProgram {
  const { options, environment, preview, parallel, children } = session;
  try {
    return startProgram({
      project: options.project,
      stack: options.stack,
      organization,
      config: options.config,
      environment,
      preview,
      parallel,
      monitorAddress: server.address,
      engineAddress: session.engine.address,
      children,
      log: (severity, line) => {
        session.events.diagnostic(severity, line);
      },
    });
  } catch (error) {
    server.stop();
    throw error;
  }
}

async function waitForProgram(
  session: Session,
  { executor }: OpenSnapshot,
  program: RunningProgram,
  registered: Promise<unknown>,
): Promise<boolean> {
  const exit = program.ended.then((why) => ({ why }));
  const first = await Promise.race([
    exit,
    registered.then(() => "registered" as const),
    session.stopped,
  ]);
  await executor.idle();
  if (first === "registered") return !executor.stopped;
  if (first === undefined) return false;
  if (first.why === undefined) return !executor.stopped;
  // A program that ends because its engine stopped has nothing to add.
  if (!executor.stopped) {
    if (first.why !== "") session.events.diagnostic("error", first.why);
    session.stop();
  }
  return false;
}

async function endProgram(program: RunningProgram): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeouts().programEnd * 1000);
  });
  await Promise.race([program.ended, late]);
  clearTimeout(timer);
  await program.stop();
}
