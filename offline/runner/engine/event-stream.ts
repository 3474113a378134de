import type {
  EngineEvent,
  EngineEventBody,
  EventJson,
  OpType,
  ResourceChanges,
  ResourceState,
  Severity,
  StepEventMetadata,
  StepEventStateMetadata,
} from "../contract.ts";
import { toPlain } from "./property-marshal.ts";
import { isList, isMap, mapValues, Output, Secret } from "./property-value.ts";
import type { PropertyMap, PropertyValue } from "./property-value.ts";
import type { Step } from "./step.ts";
import { isDefaultProvider } from "./urn.ts";

/** What a secret looks like in an event. */
const secretText = "[secret]";

/** Where a diagnostic belongs. */
export interface DiagnosticPlace {
  readonly urn?: string | undefined;
  readonly prefix?: string | undefined;
  readonly streamID?: number | undefined;
  readonly ephemeral?: boolean | undefined;
}

/** Numbers and emits the events of one update, and counts what changes. */
export class EventStream {
  readonly #emit: (event: EngineEvent) => void;
  readonly #preview: boolean;
  readonly #hidden: readonly string[];
  readonly #counts = new Map<OpType, number>();
  #sequence = 0;
  /** Texts of the errors that were emitted, the first one being why the update failed. */
  readonly errors: string[] = [];

  /** `secrets` are texts that never show, whoever writes them; those that are too short to tell are left. */
  constructor(
    emit: (event: EngineEvent) => void,
    preview: boolean,
    secrets: readonly string[] = [],
  ) {
    this.#emit = emit;
    this.#preview = preview;
    this.#hidden = secrets.filter((secret) => secret.length > 2);
  }

  /** Emits one event. */
  send(body: EngineEventBody): void {
    const event: EngineEvent = {
      ...body,
      sequence: this.#sequence,
      timestamp: Math.floor(Date.now() / 1000),
    };
    this.#sequence += 1;
    this.#emit(event);
  }

  /** Emits a diagnostic; errors are remembered. */
  diagnostic(severity: Severity, message: string, place: DiagnosticPlace = {}): void {
    const shown = this.#hidden.reduce(
      (text, secret) => text.replaceAll(secret, secretText),
      message,
    );
    if (severity === "error") this.errors.push(shown);
    const text = shown.endsWith("\n") ? shown : `${shown}\n`;
    this.send({ diagnosticEvent: { ...place, message: text, color: "never", severity } });
  }

  /** Says that a step begins. */
  stepBegins(step: Step): void {
    if (isDefaultProvider(step.urn)) return;
    this.send({ resourcePreEvent: { metadata: metadataOf(step), planning: this.#preview } });
  }

  /** Says that a step is done; `op` where it is another than the step's own, as for a refresh. */
  stepDone(step: Step, state: ResourceState | undefined, op: OpType = step.op): void {
    if (isDefaultProvider(step.urn)) return;
    if (step.logical || step.kind === "refresh")
      this.#counts.set(op, (this.#counts.get(op) ?? 0) + 1);
    // A component says its outputs by itself, later.
    if (state?.custom === false && !["delete", "refresh"].includes(step.kind)) return;
    this.stepOutputs(step, state, op);
  }

  /** Says what a resource's outputs are. */
  stepOutputs(step: Step, state: ResourceState | undefined, op: OpType = step.op): void {
    const metadata = { ...metadataOf({ ...step, op, next: state }) };
    this.send({ resOutputsEvent: { metadata, planning: this.#preview } });
  }

  /** Says that a step failed. */
  stepFailed(step: Step, outcomeUnknown: boolean): void {
    if (isDefaultProvider(step.urn)) return;
    this.send({
      resOpFailedEvent: { metadata: metadataOf(step), status: outcomeUnknown ? 2 : 0, steps: 0 },
    });
  }

  /** The counts so far. */
  changes(): ResourceChanges {
    return Object.fromEntries(this.#counts);
  }

  /** How many steps were anything but leaving a resource as it is. */
  changeCount(): number {
    return [...this.#counts]
      .filter(([op]) => op !== "same" && op !== "read")
      .reduce((sum, [, count]) => sum + count, 0);
  }
}

function metadataOf(step: Step): StepEventMetadata {
  const state = step.next ?? step.old;
  return {
    op: step.op,
    urn: step.urn,
    type: state?.type ?? "",
    old: stateMetadata(step.old),
    new: stateMetadata(step.next),
    ...(step.keys === undefined || step.keys.length === 0 ? {} : { keys: step.keys }),
    ...(step.diffs === undefined || step.diffs.length === 0 ? {} : { diffs: step.diffs }),
    detailedDiff: step.detailedDiff ?? null,
    ...(step.logical ? { logical: true } : {}),
    provider: state?.provider ?? "",
  };
}

function stateMetadata(state: ResourceState | undefined): StepEventStateMetadata | null {
  if (state === undefined) return null;
  return {
    type: state.type,
    urn: state.urn,
    ...(state.custom ? { custom: true } : {}),
    ...(state.delete === true ? { delete: true } : {}),
    id: state.id ?? "",
    parent: state.parent ?? "",
    ...(state.protect === true ? { protect: true } : {}),
    ...(state.retainOnDelete === true ? { retainOnDelete: true } : {}),
    inputs: eventJson(state.inputs),
    outputs: eventJson(state.outputs),
    provider: state.provider ?? "",
    ...(state.initErrors === undefined || state.initErrors.length === 0
      ? {}
      : { initErrors: state.initErrors }),
  };
}

/** Properties as an event carries them: what is secret never shows. */
export function eventJson(map: PropertyMap): Readonly<Record<string, EventJson>> {
  return toPlain(mapValues(map, hideSecrets), { secrets: false, resources: true }) as Record<
    string,
    EventJson
  >;
}

function hideSecrets(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return secretText;
  if (value instanceof Output && value.secret) return secretText;
  if (isList(value)) return value.map(hideSecrets);
  if (isMap(value)) return mapValues(value, hideSecrets);
  return value;
}
