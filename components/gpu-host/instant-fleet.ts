import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags } from "../named-tags.ts";
import type { GpuHostArgs } from "./gpu-host.ts";

/**
 * Asks once for one instance, over every type of the ladder in every subnet; the request itself is gone when it answers, so
 * that nothing can come back after a teardown. On demand it takes the first rung that has capacity; on spot, the pool that
 * is cheapest among those least likely to be reclaimed
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html).
 */
export function instantFleet(
  name: string,
  args: GpuHostArgs,
  template: aws.ec2.LaunchTemplate,
  parent: pulumi.Resource,
): aws.ec2.Fleet {
  const spot = args.ladder[0].purchase === "spot";
  return new aws.ec2.Fleet(
    `${name}-fleet`,
    {
      type: "instant",
      terminateInstances: true,
      targetCapacitySpecification: {
        totalTargetCapacity: 1,
        defaultTargetCapacityType: spot ? "spot" : "on-demand",
      },
      ...(spot
        ? { spotOptions: { allocationStrategy: "price-capacity-optimized" } }
        : { onDemandOptions: { allocationStrategy: "prioritized" } }),
      launchTemplateConfigs: [
        {
          launchTemplateSpecification: {
            launchTemplateId: template.id,
            version: template.latestVersion.apply(String),
          },
          overrides: overrides(args, spot),
        },
      ],
      tags: namedTags(args.tags, `${name}-fleet`),
    },
    // The choice is pinned: what was launched stays, whatever a newer catalogue or setting would choose.
    {
      parent,
      dependsOn: [...args.after],
      ignoreChanges: [
        "launchTemplateConfigs",
        "targetCapacitySpecification",
        "spotOptions",
        "onDemandOptions",
      ],
    },
  );
}

/** Every rung in every subnet; only on-demand takes an order. */
function overrides({ ladder, subnetIds }: GpuHostArgs, spot: boolean) {
  return pulumi.output(subnetIds).apply((subnets) =>
    ladder.flatMap(({ instanceType }, rung) =>
      subnets.map((subnetId) => ({
        instanceType,
        subnetId,
        ...(spot ? {} : { priority: rung }),
      })),
    ),
  );
}
