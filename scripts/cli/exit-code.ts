/** What the process ends with; documented in docs/cli.md, so a number never changes its meaning. */
export const exitCode = {
  ok: 0,
  /** Something that the user can put right: an unknown model, a broken stack file, a missing passphrase. */
  userError: 1,
  /** The command line itself: an unknown option, a missing argument. */
  usage: 2,
  /** An `up`, `preview` or `down` that began and failed. */
  provisioningFailed: 3,
  /** A `down` that ended, and something of the stack is still there or could not be asked for. */
  leftBehind: 4,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
