/** How a thing fares, for a mark beside its words; never shown by colour alone. */
export type Tone = "good" | "busy" | "mind" | "bad" | "quiet";

/** Something that was asked for: what it is, how old that is, and why the last question brought nothing. */
export interface Figure {
  /** Empty while nothing is known. */
  readonly text: string;
  readonly tone: Tone;
  /** When it was read, RFC 3339, by the clock of the machine that runs the dashboard. */
  readonly at?: string | undefined;
  readonly problem?: string | undefined;
}

/** Money that grows. */
export interface CostView {
  /** Until `at`. */
  readonly usd: number;
  /** RFC 3339, by the account's clock. */
  readonly at: string;
  /** What each further hour adds; 0 once it has ended. */
  readonly hourlyUsd: number;
  /** Where the sum is from. */
  readonly by: string;
}

/** One rung of the ladder by which the type was chosen. */
export interface RungView {
  readonly instanceType: string;
  readonly gpus: string;
  readonly hourlyUsd: number | undefined;
  readonly outcome: string;
}

/** Why a stack has the type that it has. */
export interface ChoiceView {
  /** One sentence. */
  readonly reason: string;
  readonly rungs: readonly RungView[];
  /** Cheaper types that were refused, a line for each reason. */
  readonly refused: readonly string[];
}

/** One GPU as its driver tells. */
export interface GpuView {
  readonly name: string;
  /** Percent; undefined where the driver does not say. */
  readonly utilisation: number | undefined;
  readonly memoryUsedMiB: number | undefined;
  readonly memoryTotalMiB: number | undefined;
}

/** One step of a deployment, of the engine or on the host. */
export interface StepView {
  readonly name: string;
  readonly where: "engine" | "host";
  readonly state: "under way" | "done" | "failed" | "cut off";
  /** Its last words, or what it is. */
  readonly detail: string;
  /** 0 to 1, where it tells how far it is. */
  readonly share?: number | undefined;
}

/** One stack. */
export interface StackView {
  readonly name: string;
  readonly env: string;
  /** Whether it lives in the emulated AWS. */
  readonly emulated: boolean;
  readonly target: string;
  readonly owner: string;
  readonly model: string;
  readonly region: string;
  /** The short of it. */
  readonly status: Figure;
  readonly serving: Figure;
  /** Variants, or components with what each has of an endpoint's hour; of one with several alone. */
  readonly served: readonly { readonly what: string; readonly text: string }[];
  readonly answer: Figure;
  readonly gpuFigure: Figure;
  readonly gpus: readonly GpuView[];
  readonly instanceType: string;
  readonly hourlyUsd: number | undefined;
  readonly cost: CostView | undefined;
  /** RFC 3339; empty means that it has no end, undefined that none is known. */
  readonly expiresAt: string | undefined;
  readonly startedAt: string | undefined;
  /** The account's clock at the view's `madeAt`, RFC 3339. */
  readonly now: string;
  readonly choice: ChoiceView | undefined;
  readonly steps: readonly StepView[];
  readonly attention: readonly string[];
}

/** A deployment of the account that no stack of this clone accounts for, or that is over. */
export interface OtherRunView {
  readonly stack: string;
  readonly owner: string;
  readonly model: string;
  readonly verdict: string;
  readonly tone: Tone;
  readonly reason: string;
  readonly regions: string;
  readonly hourlyUsd: number;
  readonly things: string;
}

/** One account: AWS's, or the emulated one. */
export interface AccountView {
  readonly title: string;
  /** Regions that were asked. */
  readonly regions: readonly string[];
  readonly inventory: Figure;
  readonly others: readonly OtherRunView[];
  /** Accelerated instances without berth's tags. */
  readonly untagged: readonly string[];
  readonly ledger: Figure;
  readonly totalUsd: number | undefined;
  readonly costs: readonly { readonly name: string; readonly usd: number }[];
}

/** A part that did not answer. */
export interface SilentPart {
  readonly part: string;
  readonly why: string;
  readonly at: string;
}

/** Everything that the dashboard shows; pure data, which `berth dashboard --json` prints. */
export interface DashboardView {
  /** RFC 3339, by the clock of the machine that runs the dashboard. */
  readonly madeAt: string;
  /** Whether the list of stacks has been read. */
  readonly listed: boolean;
  readonly stacks: readonly StackView[];
  /** Stacks that have a file and nothing deployed. */
  readonly idle: readonly string[];
  readonly accounts: readonly AccountView[];
  readonly silent: readonly SilentPart[];
  /** USD an hour of all stacks that run. */
  readonly hourlyUsd: number;
}
