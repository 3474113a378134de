/** Why a host cannot be made ready. */
export interface Refusal {
  /** Stable name of the cause, such as `E_NO_GPU`; `failures.ts` explains each. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}
