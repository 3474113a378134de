// How a part of a sync can fail.

/** A failure with a code of docs/weights.md; the same try again would fail again. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** A failure that another try may get past; `slowDown` when the server asks for fewer requests. */
export class Transient extends Error {
  constructor(message, slowDown = false) {
    super(message);
    this.slowDown = slowDown;
  }
}

/** The object is not the one that the plan names any more. */
export class Changed extends Refusal {
  constructor(message) {
    super("E_CHANGED", message);
  }
}

/** S3 refuses: these credentials may not read, or are past their time (`expired`). */
export class Forbidden extends Refusal {
  constructor(message, expired) {
    super(expired ? "E_EXPIRED" : "E_ACCESS", message);
    this.expired = expired;
  }
}

const full = ["ENOSPC", "EDQUOT"];
const unwritable = ["EROFS", "EIO", "EACCES", "EPERM"];

/** What a failure is called in the end: one of the file system's says what is wrong with the disk. */
export function named(error, folder) {
  const { code, message } = error;
  if (full.includes(code)) return { code: "E_DISK", message: `the disk of ${folder} is full` };
  if (unwritable.includes(code))
    return { code: "E_DISK", message: `${folder} cannot be written (${message})` };
  return { code: code?.startsWith("E_") ? code : "E_SYNC", message };
}
