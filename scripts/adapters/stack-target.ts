import { readStackConfig } from "./stack-file.ts";

/** Whether a stack's file puts it on a machine that is there already, which is in no cloud and no account. */
export function isExistingHost(stack: string): boolean {
  return readStackConfig(stack)?.["berth:target"] === "existing-host";
}
