import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { startPlugin, type PluginClient } from "./plugin-client.ts";

/** Tags that the provider gives to all. */
export const defaultTags = { "berth:stack": "test", "berth:owner": "someone" };

/** The plugin before an emulated account. */
export interface Bench {
  readonly cloud: Cloud;
  readonly client: PluginClient;
  stop(): void;
}

let shared: Promise<Cloud> | undefined;

// One account serves all files: each leaves it as it found it. This is a hook of the whole run.
after(async () => {
  await (await shared)?.stop();
});

/** The plugin before an emulated account without machines. */
export async function startBench(): Promise<Bench> {
  shared ??= startCloud({ tier: "none" });
  const cloud = await shared;
  const before = { ...process.env };
  Object.assign(process.env, cloud.environment);
  const { client, stop } = await startPlugin();
  await client.configure({ region: "us-east-1", defaultTags: { tags: defaultTags } });
  return {
    cloud,
    client,
    stop: () => {
      stop();
      for (const key of Object.keys(cloud.environment)) {
        if (before[key] === undefined) Reflect.deleteProperty(process.env, key);
        else process.env[key] = before[key];
      }
    },
  };
}
