import type { Clock } from "./clock.ts";
import type { InstanceMachines } from "./ec2/instance-machines.ts";
import type { Faults, FaultSubject } from "./faults.ts";
import { serveAwsImages } from "./gaps/aws-images.ts";
import type { BudgetWatch } from "./gaps/budget-watch.ts";
import { serveBill, type BillLine } from "./gaps/cost-explorer.ts";
import { servePricing } from "./gaps/pricing.ts";
import { serveQuotas } from "./gaps/quotas.ts";
import { checkSpotPrice, serveSpotPrices } from "./gaps/spot-prices.ts";
import { MotoRefusal, type Moto } from "./moto/moto.ts";
import { ApiError, type ApiReply, type ApiRequest } from "./proxy/api-request.ts";
import { forward, refuseUnimplemented } from "./proxy/forward.ts";
import type { SageMakerService } from "./sagemaker/sagemaker-service.ts";
import { checkSchedule } from "./scheduler/check-schedule.ts";
import type { Schedules } from "./scheduler/schedules.ts";

/** What a launch resolves to, by `questions.py`. */
interface Placement {
  readonly instanceType: string;
  readonly zone: string;
  readonly exists: boolean;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The type, zone and market that a RunInstances call asks for, launch template and subnet followed. */
export async function launchOf(
  moto: Moto,
  call: ApiRequest,
): Promise<Pick<FaultSubject, "instanceType" | "availabilityZone" | "market">> {
  const { parameters } = call;
  let placement: Placement;
  try {
    placement = await moto.ask<Placement>("placement", {
      region: call.region,
      instanceType: text(parameters["InstanceType"]),
      zone: text(parameters["Placement.AvailabilityZone"]),
      subnetId: text(parameters["SubnetId"]) ?? text(parameters["NetworkInterface.1.SubnetId"]),
      launchTemplate: {
        LaunchTemplateId: text(parameters["LaunchTemplate.LaunchTemplateId"]),
        LaunchTemplateName: text(parameters["LaunchTemplate.LaunchTemplateName"]),
        Version: text(parameters["LaunchTemplate.Version"]),
      },
    });
  } catch (error) {
    // A template or subnet that is not there is moto's to refuse.
    if (error instanceof MotoRefusal) return {};
    throw error;
  }
  if (!placement.exists) {
    throw new ApiError(
      "InvalidParameterValue",
      `Invalid value '${placement.instanceType}' for InstanceType.`,
    );
  }
  const { instanceType, zone: availabilityZone } = placement;
  const market = parameters["InstanceMarketOptions.MarketType"] === "spot" ? "spot" : "on-demand";
  const most = text(parameters["InstanceMarketOptions.SpotOptions.MaxPrice"]);
  if (most !== undefined) checkSpotPrice(Number(most), instanceType, availabilityZone);
  return { instanceType, availabilityZone, market };
}

function json(value: object): ApiReply {
  return {
    status: 200,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(value),
  };
}

/** The values of `InstanceId.1`, `InstanceId.2`, ... */
function instanceIds(call: ApiRequest): string[] {
  return Object.entries(call.parameters).flatMap(([name, value]) =>
    /^InstanceId(\.\d+)?$/.test(name) && typeof value === "string" ? [value] : [],
  );
}

/** An image has the disk of the machine that it was made of, which reboots for it unless told not to. */
async function followImages(
  call: ApiRequest,
  reply: ApiReply,
  machines: InstanceMachines | undefined,
): Promise<void> {
  if (machines === undefined || call.service !== "ec2" || reply.status !== 200) return;
  if (call.operation === "DeregisterImage")
    await machines.images.remove(text(call.parameters["ImageId"]) ?? "");
  if (call.operation !== "CreateImage") return;
  const [id] = instanceIds(call);
  const machine = machines.running().find(({ instance }) => instance.id === id)?.machine;
  const [, imageId] = /<imageId>([^<]+)</i.exec(reply.body.toString()) ?? [];
  if (machine === undefined || imageId === undefined) return;
  await machines.images.write(imageId, machine);
  if (text(call.parameters["NoReboot"]) !== "true") await machine.reboot();
}

const machineCalls =
  /^(RunInstances|CreateFleet|(Start|Stop|Reboot|Terminate)Instances|DeleteFleets|CancelSpot\w+|RequestSpotInstances)$/;

/** Every API but S3: what moto lacks or takes too lightly is answered here, the rest by moto. */
export function apiBackend(parts: {
  moto: Moto;
  machines: InstanceMachines | undefined;
  schedules: Schedules;
  clock: Clock;
  faults: Faults;
  sagemaker: SageMakerService;
  bill: readonly BillLine[];
  budgets: BudgetWatch;
}): (call: ApiRequest) => Promise<ApiReply> {
  const { moto, machines, schedules, clock, faults, sagemaker, bill, budgets } = parts;
  const before = async (call: ApiRequest): Promise<void> => {
    if (call.operation === "CreateSchedule" || call.operation === "UpdateSchedule") {
      checkSchedule(call, clock.now());
    }
    if (call.operation === "GetConsoleOutput") {
      for (const id of instanceIds(call)) await machines?.saveConsole(id);
    }
  };
  const after = (call: ApiRequest, reply: ApiReply): void => {
    if (call.service === "scheduler" && call.method !== "GET") schedules.changed();
    if (call.service === "ec2" && machineCalls.test(call.operation)) machines?.kick();
    if (call.operation === "RebootInstances" && reply.status === 200) {
      void machines?.reboot(instanceIds(call)).catch(() => undefined);
    }
  };
  return async (call) => {
    await budgets.refuseDenied(call);
    const made =
      serveQuotas(call, faults) ??
      servePricing(call) ??
      serveBill(call, bill) ??
      serveAwsImages(call, faults);
    if (made !== undefined) return json(made);
    const invoked = await sagemaker.before(call);
    if (invoked !== undefined) return invoked;
    const spot = serveSpotPrices(call, clock.now());
    if (spot !== undefined) return spot;
    await before(call);
    const forwarded = refuseUnimplemented(call, await forward(moto.port, call));
    const reply = sagemaker.indexed(call, forwarded);
    after(call, reply);
    await followImages(call, reply, machines);
    await sagemaker.after(call, reply);
    // EC2 knows an instance's addresses when it launches it; here they are the machine's, known when that has started.
    if (call.operation === "CreateFleet") await machines?.booted();
    return reply;
  };
}
