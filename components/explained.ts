import * as pulumi from "@pulumi/pulumi";
import { explainUserError, UserError } from "./user-error.ts";

/** Runs part of a program, an `apply` included, so that Pulumi shows what is the user's to solve without a stack. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new pulumi.RunError(explainUserError(error));
  }
}
