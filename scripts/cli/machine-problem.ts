import { UserError } from "../../components/user-error.ts";

/**
 * What the machine refuses, by the code of the system call's error (errno(3)) or the name of the emulated S3's error, and
 * what to do about it.
 */
const problems: Readonly<Record<string, readonly [text: string, hint: string]>> = {
  ENOSPC: ["The disk is full", "Make room there, then run it again."],
  EDQUOT: ["The disk quota is used up", "Make room there, then run it again."],
  InsufficientStorage: [
    "The disk of the emulated S3 is full",
    "Make room there, then run it again.",
  ],
  EROFS: ["The file system is read-only", "Make it writable, or work from a folder that is."],
  EACCES: ["Permission denied", "Give this user the right to it, then run it again."],
  EMFILE: ["Too many files are open", "Raise the limit (ulimit -n), then run it again."],
  ENFILE: ["Too many files are open on this machine", "End what holds them, then run it again."],
};

/** The error of a system call as one that the user can solve; undefined for any other error. */
export function machineProblem(error: unknown): UserError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, path } = at as NodeJS.ErrnoException;
    const [text, hint] = problems[code ?? at.name] ?? [];
    if (text === undefined) continue;
    const where = path === undefined ? "" : `: ${path}`;
    return new UserError(`${text}${where}.`, { hint, cause: error });
  }
  return undefined;
}
