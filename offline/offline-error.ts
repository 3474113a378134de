/** An error that is the user's to solve: what was asked, what is wrong, what to do next. Shown without a stack. */
export class OfflineError extends Error {
  override readonly name: string = "OfflineError";
  /** What to do next, one sentence or a command. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
