import { usd } from "../plan-figures.ts";
import type { TrainingJobPlan } from "./training-job-plan.ts";

function priceLine({ hourlyUsd, priceOf, spot, hours, keepWarmMinutes }: TrainingJobPlan): string {
  if (hourlyUsd === undefined) {
    return "price      not known for this type here: npm run berth -- catalogue refresh asks for it";
  }
  const most = spot ? "at most " : "";
  const warm = keepWarmMinutes > 0 ? `, ${keepWarmMinutes} min of kept instances included` : "";
  return `price      ${most}${usd(hourlyUsd)} an hour (${priceOf}); at most ${usd(hourlyUsd * hours)} in its ${hours} h${warm}`;
}

function keyLine(kmsKeyArn: string, { instanceType, localNvme }: TrainingJobPlan): string {
  const volume = localNvme
    ? `; the disk of ${instanceType} is NVMe, which encrypts itself and takes no key`
    : " and of the volume";
  return `key        ${kmsKeyArn}, of what SageMaker writes${volume}`;
}

/**
 * What a person is told of a training job before it is made.
 *
 * @param kmsKeyArn the environment's own key. @default AWS's
 */
export function trainingPlanLines(plan: TrainingJobPlan, kmsKeyArn?: string): readonly string[] {
  const { stack, region, instances, instanceType, spot, volumeGiB, image, hours } = plan;
  const how = spot ? "managed spot" : "on demand";
  return [
    `job        stack "${stack}" in ${region}: ${instances} x ${instanceType}, ${how}, ${volumeGiB} GiB of disk`,
    `image      ${image}`,
    `ends       when it is done, and ${hours} h after its start at the latest; waiting for capacity counts`,
    priceLine(plan),
    ...(plan.sharedStorage === undefined
      ? []
      : [`shared     ${plan.sharedStorage} holds the output of all instances`]),
    ...(kmsKeyArn === undefined ? [] : [keyLine(kmsKeyArn, plan)]),
  ];
}
