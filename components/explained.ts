import * as pulumi from "@pulumi/pulumi";
import { explainUserError, UserError } from "./user-error.ts";

/** Runs part of a program so that Pulumi shows what is the user's to solve without a stack. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof UserError ? new pulumi.RunError(explainUserError(error)) : error;
  }
}

/**
 * The same inside an `apply`. There the error also travels through whatever waits for the output, and comes out wrapped in
 * the names of properties; so it is said plainly first.
 */
export function explainedLater<T>(work: () => T): T {
  try {
    return explained(work);
  } catch (error) {
    if (error instanceof pulumi.RunError) void pulumi.log.error(error.message);
    throw error;
  }
}
