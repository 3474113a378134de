import { availableParallelism } from "node:os";

import type { EngineEvent, ResourceState, Snapshot, UpdateOptions } from "../contract.ts";
import { BuiltinProvider } from "./builtin-provider.ts";
import { ChildProcesses } from "./child-processes.ts";
import { addEngineService } from "./engine-service.ts";
import { EventStream } from "./event-stream.ts";
import { serve } from "./grpc.ts";
import type { RunningServer } from "./grpc.ts";
import { OldProviders } from "./old-providers.ts";
import { PluginHost } from "./plugin-host.ts";
import { programFolder } from "./program.ts";
import { ProviderRegistry } from "./provider-registry.ts";
import { SnapshotJournal } from "./snapshot-journal.ts";
import { StepApplier } from "./step-apply.ts";
import { StepExecutor } from "./step-executor.ts";
import { Targets } from "./targets.ts";

/** The parts of one update, made once and ended together. */
export interface Session {
  readonly options: UpdateOptions;
  /** True when nothing may be changed. */
  readonly preview: boolean;
  readonly parallel: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly events: EventStream;
  readonly children: ChildProcesses;
  readonly engine: RunningServer;
  readonly host: PluginHost;
  readonly registry: ProviderRegistry;
  readonly targets: Targets;
  /** URNs that are deleted in this update. */
  readonly deleted: Set<string>;
  /** Resolves once nothing new starts: a step failed, or the user interrupted. */
  readonly stopped: Promise<void>;
  readonly stop: () => void;
  /** The journal over a state, which a refresh has renewed perhaps, with what runs steps against it. */
  open(base: Snapshot): OpenSnapshot;
  /** Ends plugins, program and servers. */
  close(): Promise<void>;
}

/** What works on one state of the stack. */
export interface OpenSnapshot {
  readonly journal: SnapshotJournal;
  readonly executor: StepExecutor;
  readonly providers: OldProviders;
}

/** Starts what an update needs. */
export async function openSession(options: UpdateOptions): Promise<Session> {
  const preview = options.kind === "preview" || options.previewOnly === true;
  const environment = options.environment ?? process.env;
  const secrets = [...options.config.values()]
    .filter(({ secret }) => secret)
    .map(({ value }) => value);
  const emit = (event: EngineEvent): void => {
    options.emit(event);
  };
  const events = new EventStream(emit, preview, secrets);
  const children = new ChildProcesses();
  const engine = await serve((server) => {
    addEngineService(server, events);
  });
  const host = new PluginHost({
    sources: { project: options.project, environment, pulumiHome: options.pulumiHome },
    children,
    engineAddress: () => engine.address,
    folder: programFolder(options.project),
    log: (plugin, line, severity) => {
      events.diagnostic(severity, line, { prefix: `${plugin}: ` });
    },
  });
  return assemble({ options, preview, environment, events, children, engine, host });
}

type Parts = Pick<
  Session,
  "options" | "preview" | "environment" | "events" | "children" | "engine" | "host"
>;

function assemble(parts: Parts): Session {
  const { options, events, children, engine, host, preview } = parts;
  const opened: OpenSnapshot[] = [];
  const builtin = new BuiltinProvider(options.readStackOutputs, (urn) =>
    findState(opened.at(-1), urn),
  );
  const registry = new ProviderRegistry(host, builtin);
  const deleted = new Set<string>();
  const { promise: stopped, resolve: markStopped } = Promise.withResolvers<undefined>();
  const stop = (): void => {
    markStopped(undefined);
    for (const { executor } of opened) executor.stop();
  };
  const forget = listen(options, stop, children);
  const parallel = options.parallel ?? Math.max(16, 4 * availableParallelism());
  const session: Session = {
    ...parts,
    parallel,
    registry,
    deleted,
    targets: new Targets(
      options.targets ?? [],
      options.replace ?? [],
      options.targetDependents === true,
    ),
    stopped: stopped.then(() => undefined),
    stop,
    open: (base) => {
      const applier = new StepApplier({
        registry,
        preview,
        events,
        isDeleted: (urn) => deleted.has(urn),
      });
      const open = openSnapshot(session, base, applier);
      if (options.signal.aborted) open.executor.stop();
      opened.push(open);
      return open;
    },
    close: async () => {
      forget();
      await registry.stop();
      await children.stopAll();
      engine.stop();
    },
  };
  return session;
}

function findState(open: OpenSnapshot | undefined, urn: string): ResourceState | undefined {
  return (
    open?.executor.finished(urn)?.state ?? open?.journal.base().find((state) => state.urn === urn)
  );
}

/** Follows the interrupts of the user; gives what stops following. */
function listen(options: UpdateOptions, stop: () => void, children: ChildProcesses): () => void {
  const kill = (): void => {
    stop();
    children.killAll();
  };
  if (options.signal.aborted) stop();
  options.signal.addEventListener("abort", stop, { once: true });
  options.killSignal?.addEventListener("abort", kill, { once: true });
  return () => {
    options.signal.removeEventListener("abort", stop);
    options.killSignal?.removeEventListener("abort", kill);
  };
}

function openSnapshot(session: Session, base: Snapshot, applier: StepApplier): OpenSnapshot {
  const { options, preview, parallel, events, registry, stop } = session;
  const save = preview ? undefined : (snapshot: Snapshot) => options.store.save(snapshot);
  const journal = new SnapshotJournal(base, save);
  const continueOnError = options.continueOnError === true;
  const executor = new StepExecutor({
    parallel,
    continueOnError,
    preview,
    journal,
    events,
    applier,
    onStop: stop,
  });
  return { journal, executor, providers: new OldProviders(base.resources, registry) };
}
