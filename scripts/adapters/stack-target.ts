import { readStackConfig } from "./stack-file.ts";

/** Whether a stack's file puts it on a machine that is there already, which is in no cloud and no account. */
export function isExistingHost(stack: string): boolean {
  return readStackConfig(stack)?.["berth:target"] === "existing-host";
}

/** Whether a stack's file says that it is a training job's. */
export function isTraining(stack: string): boolean {
  return readStackConfig(stack)?.["berth:target"] === "training";
}
