/** What is done about a failure without asking. */
export type FailureAction =
  | "next-way" // another way to do the step is tried
  | "reboot" // the host is rebooted once, then the step runs again
  | "stop"; // it is told, with what to do

/** One way in which making a host ready fails. */
export interface FailureMode {
  /** Stable name, told in every error. */
  readonly code: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** What shows it in a step's log; undefined where it is told by facts, by the connection or by a check instead. */
  readonly signal?: RegExp | undefined;
  /** It may pass by itself and be gone later in the log: only the last lines tell. @default false */
  readonly passing?: boolean | undefined;
  /** Where it shows when there is no signal. */
  readonly shownBy?: string | undefined;
  readonly cause: string;
  /** What berth does itself, before it gives up or goes on. */
  readonly done: string;
  /** What is left to the user. */
  readonly remedy: string;
  readonly action: FailureAction;
  /** A thread or page where it was seen. */
  readonly evidence: string;
}
