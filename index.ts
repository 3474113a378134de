import { explained } from "./components/explained.ts";
import { deploy } from "./stacks/deploy.ts";
import { readSettings } from "./stacks/settings.ts";

/** One model, one target, one lease: read the settings, plan on data alone, then provision what the plan says. */
const outputs = explained(() => deploy(readSettings()));

export const { plan, hourlyUsd, catalogueVersion } = outputs;
export const { startedAt, expiresAt, owner, weightsUri } = outputs;
export const { instanceId, instanceType, address, sshPort, user, hostKey, url } = outputs;
export const { endpointName, endpointArn } = outputs;
