import * as pulumi from "@pulumi/pulumi";
import { parseSettings, type Settings } from "./parse-settings.ts";

export * from "./parse-settings.ts";

/** Reads and checks the configuration of the running stack; the one place that touches Pulumi's configuration. */
export function readSettings(): Settings {
  return parseSettings({ stack: pulumi.getStack(), config: pulumi.runtime.allConfig() });
}
