import { ApiError, type ApiReply } from "./proxy/api-request.ts";

/** What a fault does to the calls that it meets. */
export type FaultKind =
  /**
   * InsufficientInstanceCapacity (500), as EC2 answers RunInstances; an error of the override in CreateFleet; of service
   * `sagemaker`, the reason for which an endpoint, a notebook or a training job fails, or a training on spot waits.
   */
  | "insufficient-capacity"
  /** VcpuLimitExceeded (400); of service `sagemaker`, a quota of 0 for endpoints and training jobs of the type. */
  | "quota"
  /** ECR lacks an image of AWS's registries whose name or digest has `key` in it; the tag names a later push. */
  | "image-gone"
  | "image-moved"
  /** A training job on spot capacity loses its instances, and begins again. */
  | "spot-interruption"
  /** RequestLimitExceeded or ThrottlingException, by the service. */
  | "throttle"
  | "access-denied"
  /** Answers after `milliseconds`. */
  | "slow"
  /** 503 before anything is done. */
  | "unavailable"
  /** The answer's body ends after `afterBytes`, and the connection with it. */
  | "cut-body"
  /** The connection is reset before anything is done. */
  | "reset";

/** Which calls fail, how, and how often; a field left out matches every call. */
export interface Fault {
  readonly kind: FaultKind;
  /** As in the call log: `ec2`, `s3`, `scheduler`, ... */
  readonly service?: string;
  readonly operation?: string;
  /** Of a launch: `g6.xlarge`, or a family, `g6.*`. */
  readonly instanceType?: string;
  /** Of a launch: `us-east-1a`. */
  readonly availabilityZone?: string;
  /** Of a launch. */
  readonly market?: "spot" | "on-demand";
  /** S3 object key, or a part of it; of an image, a part of `repository:tag` or `repository@digest`. */
  readonly key?: string;
  /** How many calls it meets. @default every one */
  readonly times?: number;
  /** How many calls it lets through first. @default 0 */
  readonly after?: number;
  /** For `slow`. @default 1000 */
  readonly milliseconds?: number;
  /** For `cut-body`. @default half of the body */
  readonly afterBytes?: number;
}

/** What a call is, as faults see it. */
export interface FaultSubject {
  readonly service: string;
  /** Every name that it goes under: a launch of a fleet is both RunInstances and CreateFleet. */
  readonly operations: readonly string[];
  readonly instanceType?: string | undefined;
  readonly availabilityZone?: string | undefined;
  readonly market?: "spot" | "on-demand" | undefined;
  readonly key?: string | undefined;
}

interface Armed {
  readonly fault: Fault;
  left: number;
  spared: number;
}

function typeMatches(wanted: string, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  return wanted.endsWith(".*") ? actual.startsWith(wanted.slice(0, -1)) : actual === wanted;
}

/** Whether a fault meets the place of a launch; one that names none meets every call. */
function placeMatches(fault: Fault, subject: FaultSubject): boolean {
  return (
    (fault.instanceType === undefined || typeMatches(fault.instanceType, subject.instanceType)) &&
    (fault.availabilityZone === undefined || fault.availabilityZone === subject.availabilityZone) &&
    (fault.market === undefined || fault.market === subject.market)
  );
}

function matches(fault: Fault, subject: FaultSubject): boolean {
  const launchOnly = fault.kind === "insufficient-capacity" || fault.kind === "quota";
  const launches = ["RunInstances", "ProvisionEndpoint", "ProvisionTraining", "ProvisionNotebook"];
  const interrupts = subject.operations.includes("InterruptTraining");
  if (interrupts !== (fault.kind === "spot-interruption")) return false;
  if (fault.kind === "image-gone" || fault.kind === "image-moved") return false;
  if (launchOnly && !subject.operations.some((each) => launches.includes(each))) return false;
  return (
    (fault.service === undefined || fault.service === subject.service) &&
    (fault.operation === undefined || subject.operations.includes(fault.operation)) &&
    placeMatches(fault, subject) &&
    (fault.key === undefined || subject.key?.includes(fault.key) === true)
  );
}

/** The faults that are armed. */
export class Faults {
  #armed: Armed[] = [];

  set(fault: Fault): void {
    this.#armed.push({ fault, left: fault.times ?? Infinity, spared: fault.after ?? 0 });
  }

  clear(): void {
    this.#armed = [];
  }

  all(): readonly Fault[] {
    return this.#armed.filter((each) => each.left > 0).map((each) => each.fault);
  }

  /** The first fault that meets this call, counted as used; none when the call may go on. */
  take(subject: FaultSubject): Fault | undefined {
    const found = this.#armed.find((each) => each.left > 0 && matches(each.fault, subject));
    if (found === undefined) return undefined;
    if (found.spared > 0) {
      found.spared -= 1;
      return undefined;
    }
    found.left -= 1;
    return found.fault;
  }
}

const deniedCodes: Readonly<Record<string, string>> = {
  ec2: "UnauthorizedOperation",
  s3: "AccessDenied",
  iam: "AccessDenied",
  sts: "AccessDenied",
};

function throttled(service: string): ApiError {
  if (service === "ec2")
    return new ApiError("RequestLimitExceeded", "Request limit exceeded.", 503);
  if (service === "s3") return new ApiError("SlowDown", "Please reduce your request rate.", 503);
  return new ApiError("ThrottlingException", "Rate exceeded");
}

function unavailable(service: string): ApiError {
  const code = service === "ec2" ? "Unavailable" : "ServiceUnavailable";
  return new ApiError(code, "The service is unavailable. Please try again.", 503);
}

/** Faults that refuse no call: they act on the connection, or on what is looked for. */
const unrefusing = [
  "slow",
  "cut-body",
  "reset",
  "spot-interruption",
  "image-gone",
  "image-moved",
] as const satisfies readonly FaultKind[];

function isUnrefusing(kind: FaultKind): kind is (typeof unrefusing)[number] {
  return unrefusing.some((each) => each === kind);
}

/** The refusal that a fault stands for; none for those that act on the connection. */
export function refusalOf(fault: Fault, subject: FaultSubject): ApiError | undefined {
  const { kind } = fault;
  const operation = subject.operations[0] ?? "";
  if (isUnrefusing(kind)) return undefined;
  switch (kind) {
    case "insufficient-capacity":
      return new ApiError(
        "InsufficientInstanceCapacity",
        `We currently do not have sufficient ${subject.instanceType ?? ""} capacity in the Availability Zone you requested (${subject.availabilityZone ?? ""}).`,
        500,
      );
    case "quota":
      return new ApiError(
        "VcpuLimitExceeded",
        `You have requested more vCPU capacity than your current vCPU limit allows for the instance bucket that the specified instance type (${subject.instanceType ?? ""}) belongs to.`,
      );
    case "throttle":
      return throttled(subject.service);
    case "access-denied":
      return new ApiError(
        deniedCodes[subject.service] ?? "AccessDeniedException",
        `User is not authorized to perform: ${subject.service}:${operation}`,
        403,
      );
    case "unavailable":
      return unavailable(subject.service);
  }
}

/** How many bytes of a body a `cut-body` fault lets through. */
export function cutAt(fault: Fault, reply: ApiReply): number {
  return fault.afterBytes ?? Math.floor(Buffer.byteLength(reply.body) / 2);
}
