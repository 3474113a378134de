/** What a {@link UserError} may carry besides its message. */
export interface UserErrorDetails {
  /** What to do next, one sentence or a command. */
  readonly hint?: string | undefined;
  /** Every problem found, each with its place, when validation found more than one. */
  readonly problems?: readonly string[] | undefined;
  /** The error beneath. */
  readonly cause?: unknown;
}

/**
 * The one error that is the user's to solve: it says what was asked, what is allowed and what to do next.
 * It is shown without a stack. Mistakes of the program itself stay plain `Error`s.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
  readonly hint: string | undefined;
  readonly problems: readonly string[];

  constructor(message: string, details: UserErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.hint = details.hint;
    this.problems = details.problems ?? [];
  }
}

/** The lines that a person is shown: the message, each problem, then what to do next. */
export function explainUserError(error: UserError): string {
  const problems = error.problems.map((problem) => `  - ${problem}`);
  const hint = error.hint === undefined ? [] : [`  ${error.hint}`];
  return [error.message, ...problems, ...hint].join("\n");
}
