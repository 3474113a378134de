import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { Hosting, servingContainer } from "../../offline/cloud/hosting.ts";
import { PluginClient } from "./plugin-client.ts";

/** A cloud whose endpoints serve, and the provider's plugin in its environment. */
export interface HostingPlugin {
  readonly cloud: Cloud;
  readonly hosting: Hosting;
  readonly plugin: PluginClient;
  readonly stop: () => Promise<void>;
}

/** @param models that SageMaker has, each with the environment of its container; their weights are in the bucket `weights` */
export async function startHostingPlugin(
  models: Readonly<Record<string, Record<string, string>>>,
): Promise<HostingPlugin> {
  const servingImages = [{ repository: "fixture", command: servingContainer }];
  const cloud = await startCloud({ tier: "none", servingImages });
  const hosting = new Hosting(cloud);
  const plugin = await PluginClient.start({ ...cloud.environment });
  await hosting.makeWeights("weights");
  for (const [name, environment] of Object.entries(models)) {
    await hosting.makeModel(name, environment);
  }
  const stop = async (): Promise<void> => {
    await plugin.stop();
    await cloud.stop();
  };
  return { cloud, hosting, plugin, stop };
}
