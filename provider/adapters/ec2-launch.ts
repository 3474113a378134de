import {
  EC2Client,
  CreateFleetCommand,
  CreateTagsCommand,
  DeleteFleetsCommand,
  DescribeSubnetsCommand,
  TerminateInstancesCommand,
  paginateDescribeInstanceTypeOfferings,
  paginateDescribeInstances,
  waitUntilInstanceTerminated,
  type CreateFleetCommandOutput,
  type CreateFleetRequest,
  type Filter,
  type Instance,
} from "@aws-sdk/client-ec2";

/** Seconds that EC2 may take to end an instance; large GPU hosts take minutes. */
const terminationSeconds = 1200;

/** A subnet and the zone that it is in. */
export interface ZonedSubnet {
  readonly subnetId: string;
  readonly zone: string;
}

/** EC2 of one region, as far as a host is launched and ended by it. */
export class Ec2Launch {
  readonly #client: EC2Client;

  constructor(region: string) {
    this.#client = new EC2Client({ region, maxAttempts: 5 });
  }

  /** The subnets in the order they were asked for. */
  async subnets(SubnetIds: readonly string[]): Promise<readonly ZonedSubnet[]> {
    const command = new DescribeSubnetsCommand({ SubnetIds: [...new Set(SubnetIds)] });
    const { Subnets = [] } = await this.#client.send(command);
    const zones = new Map(Subnets.map((subnet) => [subnet.SubnetId, subnet.AvailabilityZone]));
    return SubnetIds.map((subnetId) => ({ subnetId, zone: zones.get(subnetId) ?? subnetId }));
  }

  /** `type zone` of all that is offered; undefined where it may not be asked. */
  async offerings(types: readonly string[]): Promise<ReadonlySet<string> | undefined> {
    const LocationType = "availability-zone" as const;
    const asked = { LocationType, Filters: [{ Name: "instance-type", Values: [...types] }] };
    const found = new Set<string>();
    try {
      const pages = paginateDescribeInstanceTypeOfferings({ client: this.#client }, asked);
      for await (const { InstanceTypeOfferings = [] } of pages) {
        for (const { InstanceType = "", Location = "" } of InstanceTypeOfferings) {
          found.add(`${InstanceType} ${Location}`);
        }
      }
    } catch (error) {
      if (error instanceof Error && error.name === "UnauthorizedOperation") return undefined;
      throw error;
    }
    return found;
  }

  async instances(
    query: { readonly Filters: Filter[] } | { readonly InstanceIds: string[] },
  ): Promise<readonly Instance[]> {
    const found: Instance[] = [];
    try {
      for await (const { Reservations = [] } of paginateDescribeInstances(
        { client: this.#client },
        query,
      )) {
        found.push(...Reservations.flatMap(({ Instances = [] }) => Instances));
      }
    } catch (error) {
      // EC2 forgets a terminated instance after about an hour.
      if (error instanceof Error && error.name.startsWith("InvalidInstanceID")) return [];
      throw error;
    }
    return found;
  }

  createFleet(request: CreateFleetRequest): Promise<CreateFleetCommandOutput> {
    return this.#client.send(new CreateFleetCommand(request));
  }

  /** A fleet of type `instant` cannot leave its instances behind. */
  async deleteFleets(FleetIds: readonly string[]): Promise<void> {
    if (FleetIds.length === 0) return;
    const command = new DeleteFleetsCommand({
      FleetIds: [...FleetIds],
      TerminateInstances: true,
    });
    const { UnsuccessfulFleetDeletions = [] } = await this.#client.send(command);
    for (const { Error: error } of UnsuccessfulFleetDeletions) {
      if (error?.Code === "fleetIdDoesNotExist") continue;
      throw new Error(`${error?.Code ?? "DeleteFleets"}: ${error?.Message ?? "failed"}`);
    }
  }

  async tag(Resources: readonly string[], tags: Readonly<Record<string, string>>): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await this.#client.send(new CreateTagsCommand({ Resources: [...Resources], Tags }));
  }

  /** Ends an instance, and returns when its network interface and volumes are free. */
  async terminate(instanceId: string, abortSignal: AbortSignal): Promise<void> {
    const [instance] = await this.instances({ InstanceIds: [instanceId] });
    if (instance === undefined || instance.State?.Name === "terminated") return;
    await this.#client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    const patience = { maxWaitTime: terminationSeconds, minDelay: 1, maxDelay: 15, abortSignal };
    const asked = { InstanceIds: [instanceId] };
    await waitUntilInstanceTerminated({ client: this.#client, ...patience }, asked);
  }

  close(): void {
    this.#client.destroy();
  }
}
