import type { PropertyMap } from "./engine/property-value.ts";

export type { PropertyMap } from "./engine/property-value.ts";

/** Limits of create, update and delete in seconds; 0 or left out means the default. */
export interface CustomTimeouts {
  readonly create?: number | undefined;
  readonly update?: number | undefined;
  readonly delete?: number | undefined;
}

/**
 * One resource of a stack. The fields and their names are those of `ResourceV3` in Pulumi's published checkpoint
 * (sdk/go/common/apitype/core.go, resources.json), with property values in memory form: secrets are
 * `Secret`, the state half encrypts them. A ResourceState is never changed after it was handed to the
 * store, so what is derived from one may be cached by identity (a WeakMap).
 */
export interface ResourceState {
  readonly urn: string;
  /** True for a resource that a plugin manages, false for a component. */
  readonly custom: boolean;
  /** True for the old one of a replacement that still waits for its deletion. */
  readonly delete?: boolean | undefined;
  readonly id?: string | undefined;
  readonly type: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;
  readonly parent?: string | undefined;
  readonly protect?: boolean | undefined;
  readonly taint?: boolean | undefined;
  readonly external?: boolean | undefined;
  readonly dependencies?: readonly string[] | undefined;
  readonly initErrors?: readonly string[] | undefined;
  /** `<provider's urn>::<provider's id>`. */
  readonly provider?: string | undefined;
  /** Input property to the URNs that it depends on. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly pendingReplacement?: boolean | undefined;
  readonly additionalSecretOutputs?: readonly string[] | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly customTimeouts?: CustomTimeouts | undefined;
  readonly importID?: string | undefined;
  readonly retainOnDelete?: boolean | undefined;
  readonly deletedWith?: string | undefined;
  /** RFC 3339, UTC. */
  readonly created?: string | undefined;
  /** RFC 3339, UTC. */
  readonly modified?: string | undefined;
  readonly sourcePosition?: string | undefined;
  readonly ignoreChanges?: readonly string[] | undefined;
  readonly replaceOnChanges?: readonly string[] | undefined;
  readonly hideDiff?: readonly string[] | undefined;
  readonly refreshBeforeUpdate?: boolean | undefined;
  /** Fields of a newer checkpoint that the engine does not read: kept as they are and written back. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** What was under way when a snapshot was saved. */
export type OperationType = "creating" | "updating" | "deleting" | "reading" | "importing";

/** An operation that a saved snapshot says is under way; one that is found at a start was cut off. */
export interface PendingOperation {
  readonly resource: ResourceState;
  readonly type: OperationType;
}

/** All that a stack is: resources in an order where each one stands after all that it depends on. */
export interface Snapshot {
  readonly resources: readonly ResourceState[];
  readonly pendingOperations: readonly PendingOperation[];
}

/**
 * Where snapshots are kept. The engine works out each whole snapshot (order, pending operations) and calls `save`
 * before and after every step; the store makes it durable (write, fsync, rename).
 */
export interface SnapshotStore {
  /** The snapshot as it was when the update began. */
  load(): Snapshot;
  /**
   * Makes a snapshot durable; resolves once it, or one saved after it, is. Calls overlap: they may be
   * merged as long as the last one wins, and never written out of order. A failure ends the update.
   */
  save(snapshot: Snapshot): Promise<void>;
}

/** The kinds of step, with the names that Pulumi's events use. */
export type OpType =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "read"
  | "read-replacement"
  | "refresh"
  | "discard"
  | "discard-replaced"
  | "remove-pending-replace"
  | "import"
  | "import-replacement";

/** How one property differs. */
export type DiffKind =
  "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

/** The difference of one property path. */
export interface PropertyDiff {
  readonly diffKind: DiffKind;
  /** True when it is between old and new inputs and not between old outputs and new inputs. */
  readonly inputDiff: boolean;
}

/** JSON as an event carries it; secrets are the text `[secret]`, unknowns the unknown sentinel. */
export type EventJson =
  null | boolean | number | string | readonly EventJson[] | { readonly [key: string]: EventJson };

/** A resource's state inside a step event. */
export interface StepEventStateMetadata {
  readonly type: string;
  readonly urn: string;
  readonly custom?: boolean | undefined;
  readonly delete?: boolean | undefined;
  readonly id: string;
  readonly parent: string;
  readonly protect?: boolean | undefined;
  readonly retainOnDelete?: boolean | undefined;
  readonly inputs: Readonly<Record<string, EventJson>>;
  readonly outputs: Readonly<Record<string, EventJson>>;
  readonly provider: string;
  readonly initErrors?: readonly string[] | undefined;
}

/** One step inside an event. */
export interface StepEventMetadata {
  readonly op: OpType;
  readonly urn: string;
  readonly type: string;
  readonly old: StepEventStateMetadata | null;
  readonly new: StepEventStateMetadata | null;
  /** The properties that make it a replacement. */
  readonly keys?: readonly string[] | undefined;
  /** The properties that changed. */
  readonly diffs?: readonly string[] | undefined;
  readonly detailedDiff: Readonly<Record<string, PropertyDiff>> | null;
  readonly logical?: boolean | undefined;
  readonly provider: string;
}

/** How bad a diagnostic is; `info#err` is what a program writes to stderr. */
export type Severity = "debug" | "info" | "info#err" | "warning" | "error";

/** Counts by kind of step. */
export type ResourceChanges = Readonly<Partial<Record<OpType, number>>>;

/** What one event says; exactly one field. */
export type EngineEventBody =
  | { readonly preludeEvent: { readonly config: Readonly<Record<string, string>> } }
  | { readonly cancelEvent: Readonly<Record<string, never>> }
  | { readonly stdoutEvent: { readonly message: string; readonly color: string } }
  | {
      readonly diagnosticEvent: {
        readonly urn?: string | undefined;
        readonly prefix?: string | undefined;
        readonly message: string;
        readonly color: string;
        readonly severity: Severity;
        readonly streamID?: number | undefined;
        readonly ephemeral?: boolean | undefined;
      };
    }
  | {
      readonly resourcePreEvent: {
        readonly metadata: StepEventMetadata;
        readonly planning?: boolean | undefined;
      };
    }
  | {
      readonly resOutputsEvent: {
        readonly metadata: StepEventMetadata;
        readonly planning?: boolean | undefined;
      };
    }
  | {
      readonly resOpFailedEvent: {
        readonly metadata: StepEventMetadata;
        readonly status: number;
        readonly steps: number;
      };
    }
  | {
      readonly summaryEvent: {
        readonly maybeCorrupt: boolean;
        readonly durationSeconds: number;
        readonly resourceChanges: ResourceChanges;
        readonly PolicyPacks: Readonly<Record<string, string>>;
        readonly isPreview: boolean;
      };
    };

/**
 * One event of an update, in the shape of Pulumi's JSON event log (`automation/events.d.ts`): the same object may be
 * written as a line of the log. The update emits prelude first, summary next to last and cancel last.
 */
export type EngineEvent = EngineEventBody & {
  /** Counts up from 0 within an update. */
  readonly sequence: number;
  /** Unix time in seconds. */
  readonly timestamp: number;
};

/** What the engine reads of a Pulumi.yaml. */
export interface Project {
  readonly name: string;
  /** Absolute folder of Pulumi.yaml. */
  readonly root: string;
  readonly runtime: {
    readonly name: string;
    readonly options?: Readonly<Record<string, unknown>> | undefined;
  };
  /** The program: a file or a folder, relative to `root`. @default the root */
  readonly main?: string | undefined;
  /** `plugins.providers`: folders (relative to `root`) that hold `pulumi-resource-<name>`. */
  readonly providerPlugins: readonly {
    readonly name: string;
    readonly path: string;
    readonly version?: string | undefined;
  }[];
}

/** One setting; the key it stands under is full (`namespace:name`). */
export interface ConfigValue {
  /** Plain text; JSON text when `object`. */
  readonly value: string;
  readonly secret: boolean;
  readonly object?: boolean | undefined;
}

/** The kinds of update. */
export type UpdateKind = "preview" | "up" | "refresh" | "destroy";

/** Outputs of another stack, for a `pulumi:pulumi:StackReference`. */
export type ReadStackOutputs = (stackName: string) => Promise<PropertyMap | undefined>;

/** All that one update needs. */
export interface UpdateOptions {
  readonly kind: UpdateKind;
  readonly project: Project;
  /** The stack's short name. */
  readonly stack: string;
  /** @default "organization", as the real CLI's file backend */
  readonly organization?: string | undefined;
  readonly config: ReadonlyMap<string, ConfigValue>;
  /** A preview never calls `save`. */
  readonly store: SnapshotStore;
  /** Steps at a time. @default 16 */
  readonly parallel?: number | undefined;
  /** URNs, `*` and `**` allowed: only these are changed. */
  readonly targets?: readonly string[] | undefined;
  /** Also what depends on the targets. */
  readonly targetDependents?: boolean | undefined;
  /** URNs to replace though nothing changed. */
  readonly replace?: readonly string[] | undefined;
  /** Goes on with what does not depend on a failed step. */
  readonly continueOnError?: boolean | undefined;
  /** Reads every resource before a preview, up or destroy. */
  readonly refreshFirst?: boolean | undefined;
  /** For refresh and destroy: run the program too. Refused by name; both work from state alone. */
  readonly runProgram?: boolean | undefined;
  /** For destroy: leave what is protected (and what it depends on) standing. */
  readonly excludeProtected?: boolean | undefined;
  /** Fails when anything changes. */
  readonly expectNoChanges?: boolean | undefined;
  /** For refresh: forgets creations that a cut-off update left without an answer. @default they are reported and kept */
  readonly clearPendingCreates?: boolean | undefined;
  /** For refresh and destroy: show what would change, save and call nothing that changes anything. */
  readonly previewOnly?: boolean | undefined;
  /** First interrupt: running steps end, nothing new starts. */
  readonly signal: AbortSignal;
  /** Second interrupt: plugins and program are killed at once. */
  readonly killSignal?: AbortSignal | undefined;
  /** Called in order, synchronously. */
  emit(event: EngineEvent): void;
  /** How other stacks are read. @default StackReference is refused */
  readonly readStackOutputs?: ReadStackOutputs | undefined;
  /** Environment of program and plugins. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where installed plugins lie (`plugins/resource-<name>-v<version>/`). @default $PULUMI_HOME or ~/.pulumi */
  readonly pulumiHome?: string | undefined;
}

/** How an update ended. What went wrong was also emitted as diagnostic events of severity error. */
export interface UpdateResult {
  readonly result: "succeeded" | "failed";
  /** Why it failed, one line; undefined when it succeeded. */
  readonly message?: string | undefined;
  readonly cancelled: boolean;
  readonly resourceChanges: ResourceChanges;
  /** The stack's outputs after the update; undefined when there is no stack resource. */
  readonly outputs: PropertyMap | undefined;
  readonly durationSeconds: number;
  /** Plugins that ran, for the checkpoint's manifest. */
  readonly plugins: readonly {
    readonly name: string;
    readonly path: string;
    readonly version: string;
  }[];
}

/** Runs one update; implemented in engine/update.ts. It rejects only on mistakes of its own. */
export type RunUpdate = (options: UpdateOptions) => Promise<UpdateResult>;
