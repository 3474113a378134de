import type { LedgerLine } from "../../components/cost/ledger.ts";
import type { Connection } from "../../provider/connection.ts";
import type { AccountInventory } from "../adapters/account-things.ts";
import type { RecordedLease } from "../adapters/stack-state.ts";
import type { EndpointFact } from "../stack/endpoint-facts.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";

/** What was read last, and how the last attempt went; empty before the first one. */
export interface Reading<T> {
  readonly value?: T;
  /** When the value was read, RFC 3339. */
  readonly at?: string;
  /** Why the last attempt brought nothing. */
  readonly problem?: string;
  /** When that was. */
  readonly problemAt?: string;
}

/** What a stack's state tells, without opening any secret of it. */
export interface StackFacts {
  readonly resources: number;
  /** Operations that began and of whose end nothing is recorded. */
  readonly pending: readonly { readonly operation: string; readonly name: string }[];
  readonly lease: RecordedLease | undefined;
  readonly outputs: BerthOutputs;
  readonly region: string | undefined;
  /** How the host is reached, with its key pinned; known before an `up` has ended. */
  readonly connection: Connection | undefined;
  readonly serverPort: number | undefined;
  readonly endpointName: string | undefined;
  readonly instanceId: string | undefined;
  /** Whether it serves from a machine that was there already, which no account knows. */
  readonly ownMachine: boolean;
  /** Whether a fake driver answered on the host. */
  readonly fakeGpu: boolean;
}

/** A host or an endpoint as its account tells. */
export interface ServingState {
  readonly noun: "host" | "endpoint";
  readonly state: string;
  readonly why?: string | undefined;
  readonly instances?: number | undefined;
  /** Of an endpoint with several models or variants. */
  readonly served?: readonly EndpointFact[] | undefined;
}

/** One step as its files on the host tell. */
export interface HostStep {
  readonly name: string;
  readonly state: "running" | "done" | "gone";
  /** Exit status once it is done. */
  readonly code: number;
  readonly lastLine: string;
  readonly progress?: { readonly ready: number; readonly total: number } | undefined;
}

/** One GPU, by `nvidia-smi`. */
export interface HostGpu {
  readonly name: string;
  readonly utilisation: number | undefined;
  readonly memoryUsedMiB: number | undefined;
  readonly memoryTotalMiB: number | undefined;
}

/** What a host tells over SSH. */
export interface HostProbe {
  readonly gpus: readonly HostGpu[];
  /** HTTP status of the model server's health; 0 when it did not answer, undefined when it was not asked. */
  readonly health: number | undefined;
  readonly steps: readonly HostStep[];
  /** Whether the host ends itself when nobody uses it: looking counts as use, so it is looked at once only. */
  readonly idleStop: boolean;
}

/** What is known of one stack. */
export interface StackReadings {
  readonly name: string;
  readonly env: string;
  readonly emulated: boolean;
  /** What the stack's file says, for a stack that tells nothing yet. */
  readonly file: {
    readonly model?: string;
    readonly owner?: string;
    readonly region?: string;
    /** The plan that its settings make now; only while the state has none. */
    readonly plan?: unknown;
  };
  readonly state: Reading<StackFacts>;
  readonly serving: Reading<ServingState>;
  readonly host: Reading<HostProbe>;
}

/** What is known of one account. */
export interface AccountReadings {
  readonly emulated: boolean;
  readonly regions: readonly string[];
  /** Its number. */
  readonly number: Reading<string>;
  /** Its clock. */
  readonly clock: Reading<string>;
  readonly inventory: Reading<AccountInventory>;
  readonly ledger: Reading<{
    readonly lines: readonly LedgerLine[];
    readonly at: string;
    /** What was counted as last seen, one sentence each. */
    readonly unanswered: readonly string[];
  }>;
}

/** Everything that was read, at one moment. */
export interface DashboardReadings {
  /** RFC 3339. */
  readonly now: string;
  readonly names: Reading<readonly string[]>;
  readonly stacks: readonly StackReadings[];
  /** Stacks that have a file, deployed or not. */
  readonly files: readonly string[];
  readonly accounts: readonly AccountReadings[];
}
