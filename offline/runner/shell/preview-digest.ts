import type { EngineEvent, StepEventMetadata, StepEventStateMetadata } from "../contract.ts";
import { stackType } from "../engine/urn.ts";

/** A state in the shape of a checkpoint's resource: what is empty is left out. */
function stateOf(state: StepEventStateMetadata | null): Record<string, unknown> | undefined {
  if (state === null) return undefined;
  const { urn, custom = false, delete: waits, id, type, inputs, outputs, parent, protect } = state;
  const fields = { urn, custom, delete: waits, id, type, inputs, outputs, parent, protect };
  const all = { ...fields, initErrors: state.initErrors, provider: state.provider };
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => key === "custom" || !isEmpty(value)),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === false) return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function stepOf(metadata: StepEventMetadata): Record<string, unknown> {
  const { op, urn, provider, keys, diffs, detailedDiff } = metadata;
  const detailed =
    detailedDiff === null
      ? undefined
      : Object.fromEntries(
          Object.entries(detailedDiff).map(([path, { diffKind, inputDiff }]) => [
            path,
            { kind: diffKind, inputDiff },
          ]),
        );
  return {
    op,
    urn,
    ...(provider === "" ? {} : { provider }),
    oldState: stateOf(metadata.old),
    newState: stateOf(metadata.new),
    diffReasons: diffs,
    replaceReasons: keys,
    detailedDiff: detailed,
  };
}

/** Gathers the events of a preview into the one JSON document of `pulumi preview --json` (display.PreviewDigest). */
export class PreviewDigest {
  #config: Readonly<Record<string, string>> | undefined;
  readonly #steps: Record<string, unknown>[] = [];
  readonly #diagnostics: Record<string, unknown>[] = [];
  #summary: Record<string, unknown> = {};
  readonly #showSames: boolean;

  constructor(showSames: boolean) {
    this.#showSames = showSames;
  }

  add(event: EngineEvent): void {
    if ("preludeEvent" in event) this.#config = event.preludeEvent.config;
    if ("diagnosticEvent" in event) {
      const { severity, ephemeral, prefix = "", message, urn } = event.diagnosticEvent;
      if (severity !== "debug" && ephemeral !== true)
        this.#diagnostics.push({
          ...(urn === undefined ? {} : { urn }),
          message: prefix + message,
          severity,
        });
    }
    if ("stdoutEvent" in event)
      this.#diagnostics.push({ message: event.stdoutEvent.message, severity: "info" });
    if ("resourcePreEvent" in event) {
      const { metadata } = event.resourcePreEvent;
      if (metadata.op !== "same" || metadata.type === stackType || this.#showSames)
        this.#steps.push(stepOf(metadata));
    }
    if ("summaryEvent" in event) {
      const { durationSeconds, resourceChanges, maybeCorrupt } = event.summaryEvent;
      this.#summary = {
        // A Go duration counts nanoseconds.
        duration: durationSeconds * 1e9,
        changeSummary: resourceChanges,
        ...(maybeCorrupt ? { maybeCorrupt } : {}),
      };
    }
  }

  /** The document's text. */
  text(): string {
    const digest = {
      config: this.#config,
      ...(this.#steps.length > 0 ? { steps: this.#steps } : {}),
      ...(this.#diagnostics.length > 0 ? { diagnostics: this.#diagnostics } : {}),
      ...this.#summary,
    };
    return `${JSON.stringify(digest, null, 4)}\n`;
  }
}
