import type { EngineEvent, ResourceChanges, StepEventMetadata } from "../contract.ts";

const signs: Readonly<Record<string, string>> = {
  create: "+",
  update: "~",
  delete: "-",
  replace: "+-",
  "create-replacement": "++",
  "delete-replaced": "--",
  read: ">",
  refresh: "~",
  same: " ",
};

function line(metadata: StepEventMetadata, state: string): string {
  const name = metadata.urn.split("::").at(-1) ?? "";
  return ` ${(signs[metadata.op] ?? "?").padEnd(2)} ${metadata.type} ${name} ${state}\n`;
}

/** Turns events into one line a step, for a person or a log. */
export class Display {
  readonly #write: (text: string) => void;
  readonly #preview: boolean;
  readonly #began = new Map<string, number>();

  constructor(write: (text: string) => void, preview: boolean) {
    this.#write = write;
    this.#preview = preview;
  }

  show(event: EngineEvent): void {
    if ("diagnosticEvent" in event) this.#diagnostic(event.diagnosticEvent);
    if ("resourcePreEvent" in event) this.#begin(event.resourcePreEvent.metadata);
    if ("resOutputsEvent" in event) this.#end(event.resOutputsEvent.metadata);
    if ("resOpFailedEvent" in event)
      this.#write(line(event.resOpFailedEvent.metadata, "**failed**"));
    if ("summaryEvent" in event) {
      const { resourceChanges, durationSeconds } = event.summaryEvent;
      this.#write(`\nResources:\n${changeLines(resourceChanges)}\nDuration: ${durationSeconds}s\n`);
    }
  }

  #begin(metadata: StepEventMetadata): void {
    this.#began.set(metadata.urn, performance.now());
    if (metadata.op !== "same" && this.#preview) this.#write(line(metadata, metadata.op));
  }

  #end(metadata: StepEventMetadata): void {
    if (metadata.op === "same" || this.#preview) return;
    const began = this.#began.get(metadata.urn) ?? performance.now();
    this.#write(line(metadata, `done (${((performance.now() - began) / 1000).toFixed(1)}s)`));
  }

  #diagnostic({
    severity,
    message,
    ephemeral,
  }: {
    severity: string;
    message: string;
    ephemeral?: boolean | undefined;
  }): void {
    if (severity === "debug" || ephemeral === true) return;
    const text = message.endsWith("\n") ? message : `${message}\n`;
    this.#write(
      severity === "info" || severity === "info#err" ? `    ${text}` : `${severity}: ${text}`,
    );
  }
}

function changeLines(changes: ResourceChanges): string {
  const lines = Object.entries(changes).map(([op, count]) => {
    return `    ${(signs[op] ?? "?").trim()} ${count} ${op === "same" ? "unchanged" : op}`;
  });
  return lines.length === 0 ? "    no changes" : lines.join("\n");
}
