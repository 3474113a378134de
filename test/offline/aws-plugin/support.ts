import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { startPlugin, type PluginClient } from "./plugin-client.ts";

/** Tags that the provider gives to all. */
export const defaultTags = { "berth:stack": "test", "berth:owner": "someone" };

/** The plugin before an emulated account. */
export interface Bench {
  readonly cloud: Cloud;
  readonly client: PluginClient;
  stop(): Promise<void>;
}

/** The plugin before an emulated account without machines. */
export async function startBench(): Promise<Bench> {
  const container = new URL("../cloud/serving-container.mjs", import.meta.url).pathname;
  const servingImages = [{ repository: "vllm", command: [process.execPath, container] as const }];
  const cloud = await startCloud({ tier: "none", servingImages });
  const before = { ...process.env };
  Object.assign(process.env, cloud.environment);
  const { client, stop } = await startPlugin();
  await client.configure({ region: "us-east-1", defaultTags: { tags: defaultTags } });
  return {
    cloud,
    client,
    stop: async () => {
      stop();
      await cloud.stop();
      for (const key of Object.keys(cloud.environment)) {
        if (before[key] === undefined) Reflect.deleteProperty(process.env, key);
        else process.env[key] = before[key];
      }
    },
  };
}
