import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { counted } from "../../components/counted.ts";
import type { Terminal } from "./terminal.ts";

/** One step that ended. */
export interface StepRecord {
  readonly operation: string;
  readonly type: string;
  readonly name: string;
  readonly seconds: number;
  readonly ok: boolean;
}

/** Words for what the engine does; an operation that is not here is not worth a line. */
const verbs: Readonly<Record<string, string>> = {
  create: "made",
  update: "changed",
  delete: "removed",
  replace: "replaced",
  "create-replacement": "made anew",
  "delete-replaced": "removed the old",
  read: "read",
  import: "imported",
  refresh: "refreshed",
};

/** Words for the same in a preview. */
const plannedVerbs: Readonly<Record<string, string>> = {
  create: "will make",
  update: "will change",
  delete: "will remove",
  replace: "will replace",
  read: "will read",
  import: "will import",
};

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/** `aws:ec2/vpc:Vpc` as `ec2 Vpc`. */
function shortType(type: string): string {
  const [provider = "", module = "", name = ""] = type.split(":");
  const folder = module.split("/")[0] ?? "";
  return provider === "aws" ? `${folder} ${name}` : `${provider} ${name}`;
}

/** What a program says when its engine no longer listens, since a step has failed: no reason of anything. */
const echo =
  /Channel has been shut down|Resource monitor is terminating|failed to deliver log message/;

/** Colour directives that engines leave in messages. */
function plain(text: string): string {
  return text.replaceAll(/<\{%[^%]*%\}>/g, "").trimEnd();
}

/**
 * Turns the engine's events into one line a finished step, with its time; what fails or warns gets its words. On a terminal
 * the steps under way stand on a line of their own.
 */
export class StepProgress {
  readonly steps: StepRecord[] = [];
  /** What it warned of. */
  readonly warnings: string[] = [];
  readonly #errors: string[] = [];
  readonly #terminal: Terminal;
  readonly #preview: boolean;
  readonly #begun = new Map<string, number>();
  readonly #echoes: string[] = [];
  /** Whether the program writes already that its engine no longer listens, by and by and with the stack of each call. */
  #unheard = false;
  readonly #started = performance.now();
  readonly #refreshed: number[] = [];
  readonly #heartbeat: NodeJS.Timeout;

  constructor(terminal: Terminal, preview = false) {
    this.#terminal = terminal;
    this.#preview = preview;
    this.#heartbeat = setInterval(() => {
      this.#showRunning();
    }, 1000);
    this.#heartbeat.unref();
  }

  /** What went wrong, in the engine's words; what only echoes it, where nothing else was said. */
  get errors(): readonly string[] {
    return this.#errors.length > 0 ? this.#errors : this.#echoes;
  }

  /** Seconds since the operation began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Takes one event of the engine. */
  take(event: EngineEvent): void {
    if (event.resourcePreEvent) this.#begin(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent) this.#end(event.resOutputsEvent.metadata, true);
    if (event.resOpFailedEvent) this.#end(event.resOpFailedEvent.metadata, false);
    if (event.diagnosticEvent) this.#tell(event.diagnosticEvent);
  }

  /** Ends the story. */
  close(): void {
    this.#tellRefreshed();
    clearInterval(this.#heartbeat);
    this.#terminal.clearStatus();
  }

  #begin({ op, urn, type }: StepMetadata): void {
    if (this.#preview) this.#planned(op, urn, type);
    else if (verbs[op] !== undefined) this.#begun.set(`${op} ${urn}`, performance.now());
    this.#showRunning();
  }

  #planned(op: string, urn: string, type: string): void {
    const verb = plannedVerbs[op];
    if (verb === undefined) return;
    this.steps.push({ operation: op, type, name: nameOf(urn), seconds: 0, ok: true });
    this.#terminal.say(`  ${verb.padEnd(15)} ${nameOf(urn).padEnd(38)} ${shortType(type)}`);
  }

  #end({ op, urn, type }: StepMetadata, ok: boolean): void {
    const key = `${op} ${urn}`;
    const begun = this.#begun.get(key);
    if (begun === undefined || this.#preview) return;
    this.#begun.delete(key);
    const seconds = (performance.now() - begun) / 1000;
    const name = nameOf(urn);
    // What was only looked at is one line for all: a destroy after a kill looks at everything first.
    if (op === "refresh" && ok) {
      this.#refreshed.push(seconds);
      return;
    }
    this.#tellRefreshed();
    this.steps.push({ operation: op, type, name, seconds, ok });
    const verb = ok ? (verbs[op] ?? op) : `FAILED ${op}`;
    const time = `${seconds.toFixed(1).padStart(6)} s`;
    this.#terminal.say(`  ${verb.padEnd(15)} ${name.padEnd(38)} ${time}  ${shortType(type)}`);
    this.#showRunning();
  }

  #tellRefreshed(): void {
    const looks = this.#refreshed.splice(0);
    if (looks.length === 0) return;
    const time = `${Math.max(...looks)
      .toFixed(1)
      .padStart(6)} s`;
    const what = `${counted(looks.length, "resource")}, side by side`;
    this.#terminal.say(`  ${"refreshed".padEnd(15)} ${what.padEnd(38)} ${time}`);
  }

  #tell({ severity, message, urn }: { severity: string; message: string; urn?: string }): void {
    const text = plain(message);
    if (text.trim() === "") return;
    const from = urn === undefined || urn === "" ? "" : `${nameOf(urn)}: `;
    if (severity === "error" && echo.test(text)) {
      this.#echoes.push(`${from}${text.trim()}`);
      return;
    }
    if (severity === "info#err") {
      this.#unheard ||= echo.test(text);
      if (this.#unheard) return;
    }
    if (severity === "error") this.#errors.push(`${from}${text.trim()}`);
    if (severity === "warning") this.warnings.push(`${from}${text.trim()}`);
    const lines = text.split("\n").map((line) => `    ${from}${line}`);
    if (severity === "error" || severity === "warning") this.#terminal.complain(lines.join("\n"));
    else this.#terminal.say(...lines);
  }

  #showRunning(): void {
    const now = performance.now();
    const running = [...this.#begun].map(([key, begun]) => {
      return `${nameOf(key)} ${((now - begun) / 1000).toFixed(0)} s`;
    });
    if (running.length === 0) return;
    this.#terminal.status(
      `  ... ${running.slice(0, 3).join(", ")}${running.length > 3 ? ", ..." : ""}`,
    );
  }
}

interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
}
