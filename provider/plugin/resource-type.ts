import type { ZodObject } from "zod";
import type { Severity } from "./engine-log.ts";
import type { Properties } from "./values.ts";

/** What one operation on one resource may use. */
export interface Operation {
  readonly urn: string;
  /** Seconds the program gave this operation by `customTimeouts`; 0 when it gave none. */
  readonly timeoutSeconds: number;
  /** Fires when the engine asks all operations to end. */
  readonly signal: AbortSignal;
  /** One line in the engine's log, under this resource. */
  log(message: string, severity?: Severity): void;
}

/** A resource that exists. */
export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/** One type of resource of the plugin; every method gets plain values, secrets unwrapped. */
export interface ResourceType {
  /** What the inputs must be; its keys are also the properties that are compared. */
  readonly inputs: ZodObject;
  /** Inputs whose change makes a new resource. */
  readonly replaceOn: readonly string[];
  /** Outputs that are not inputs and so not known in a preview. */
  readonly computed: readonly string[];
  /** Outputs that are always secret. */
  readonly secrets?: readonly string[];
  /** Whether the state itself asks for an update though no input changed, as after a refresh that found damage. */
  needsRepair?(state: Properties): boolean;
  create(inputs: Properties, operation: Operation): Promise<Created>;
  /** The state as it is in truth; undefined when the resource is gone. */
  read(id: string, state: Properties, operation: Operation): Promise<Properties | undefined>;
  update(id: string, olds: Properties, news: Properties, operation: Operation): Promise<Properties>;
  delete(id: string, state: Properties, operation: Operation): Promise<void>;
}
