import * as ec2 from "@aws-sdk/client-ec2";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { dlami, makeNetwork, settingsFor } from "../../offline/cloud/account.ts";
import { PluginClient } from "./plugin-client.ts";

/** What a rung has where a test wishes for nothing else. */
export const someRung = {
  zones: [],
  totalHourlyUsd: 0.1,
  gpuModel: "A10G",
  gpuCount: 1,
  tensorParallel: 1,
} as const;

/** A launch template, as the provider is given it. */
export interface Template {
  readonly id: string;
  readonly version: string;
}

/** An emulated account with a network of two zones, and the provider that launches hosts into it. */
export class LaunchAccount {
  readonly cloud: Cloud;
  readonly client: ec2.EC2Client;
  readonly plugin: PluginClient;
  readonly subnetIds: readonly string[];

  private constructor(
    cloud: Cloud,
    client: ec2.EC2Client,
    plugin: PluginClient,
    subnetIds: readonly string[],
  ) {
    this.cloud = cloud;
    this.client = client;
    this.plugin = plugin;
    this.subnetIds = subnetIds;
  }

  static async start(): Promise<LaunchAccount> {
    const cloud = await startCloud({ tier: "none" });
    const client = new ec2.EC2Client(settingsFor(cloud));
    const plugin = await PluginClient.start({ ...cloud.environment });
    const { subnetIds } = await makeNetwork(client, ["us-east-1a", "us-east-1b"]);
    return new LaunchAccount(cloud, client, plugin, subnetIds);
  }

  async stop(): Promise<void> {
    await this.plugin.stop();
    await this.cloud.stop();
  }

  /** Makes a template whose instances carry a tag. */
  async makeTemplate(name: string, tag: ec2.Tag): Promise<Template> {
    const { LaunchTemplate } = await this.client.send(
      new ec2.CreateLaunchTemplateCommand({
        LaunchTemplateName: name,
        LaunchTemplateData: {
          ImageId: await dlami(this.cloud),
          TagSpecifications: [{ ResourceType: "instance", Tags: [tag] }],
        },
      }),
    );
    return { id: LaunchTemplate!.LaunchTemplateId!, version: "1" };
  }

  /** Instances that are there, or come. */
  async live(): Promise<ec2.Instance[]> {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const command = new ec2.DescribeInstancesCommand({ Filters });
    const { Reservations = [] } = await this.client.send(command);
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  /** Ids of the fleets that are there. */
  async liveFleets(): Promise<readonly string[]> {
    const { Fleets = [] } = await this.client.send(new ec2.DescribeFleetsCommand({}));
    const active = Fleets.filter(({ FleetState }) => FleetState === "active");
    return active.map(({ FleetId = "" }) => FleetId);
  }
}
