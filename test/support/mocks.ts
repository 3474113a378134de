import * as pulumi from "@pulumi/pulumi";

/** One resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly parent: string;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  /** URNs of what it waits for. */
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  readonly providers: readonly string[];
}

/** Answers of the mocked provider functions, by token. */
export type Answers = Readonly<Record<string, (inputs: Record<string, unknown>) => object>>;

/** The getters of `pulumirpc.RegisterResourceRequest` that tests look at. */
interface RegisterRequest {
  getName(): string;
  getType(): string;
  getParent(): string;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getDependenciesList(): string[];
  getProtect(): boolean;
  getProvider(): string;
  getProvidersMap(): { forEach(visit: (value: string, key: string) => void): void };
}

interface Monitor {
  registerResource(request: RegisterRequest, done: unknown): unknown;
}

/** What a run under mocks registered, and the outputs it gave. */
export interface MockedRun<T> {
  readonly resources: readonly Registered[];
  readonly result: T;
  /** The only resource of that name; fails when there is none, or several. */
  readonly named: (name: string) => Registered;
  /** `[type, name]` of the children of a component, sorted. */
  readonly childrenOf: (component: string) => readonly (readonly [string, string])[];
}

/** Names of the properties that AWS would compute; mocks answer what a program reads. */
function computed(type: string, name: string, inputs: Record<string, unknown>) {
  const arn = `arn:aws:mock:us-east-1:123456789012:${name}`;
  const known: Record<string, object> = {
    "berth:index:HostLaunch": {
      instanceId: "i-0123",
      launched: {
        ...(inputs["rungs"] as readonly object[] | undefined)?.[0],
        instanceType: "g5.xlarge",
        zone: "us-east-1b",
      },
      refusals: [],
    },
    "berth:index:HostGroup": {
      launched: {
        ...(inputs["rungs"] as readonly object[] | undefined)?.[0],
        zone: "us-east-1b",
      },
      refusals: [],
      fleetIds: ["fleet-1"],
    },
    "berth:index:GroupHost": { instanceId: `i-host-${String(inputs["index"])}` },
    "aws:ec2/launchTemplate:LaunchTemplate": { latestVersion: 1 },
    "aws:ec2/keyPair:KeyPair": { keyName: name },
    "aws:s3/bucket:Bucket": { bucket: `${name}-1a2b`, arn: `arn:aws:s3:::${name}-1a2b` },
    "berth:index:HostKeyRotation": { hostKey: "ssh-ed25519 AAAArotated" },
    "berth:index:WeightsSync": { manifestSha256: "abc" },
    "berth:index:ModelServer": { url: "http://127.0.0.1:8000" },
  };
  return { name, arn, ...inputs, ...known[type] };
}

const answers: Answers = {
  "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": () => ({
    instanceTypes: ["g5.xlarge", "g6.xlarge", "g5.xlarge", "g5.xlarge"],
    locations: ["us-east-1b", "us-east-1b", "us-east-1a", "us-east-1c"],
  }),
  "aws:ec2/getAmiIds:getAmiIds": () => ({ ids: [] }),
  "aws:ssm/getParameter:getParameter": () => ({ value: "ami-0abc", insecureValue: "ami-0abc" }),
  "aws:ec2/getInstance:getInstance": () => ({ publicIp: "203.0.113.9", privateIp: "10.73.0.4" }),
  "aws:ec2/getSubnets:getSubnets": () => ({ ids: ["subnet-0a", "subnet-0b"] }),
};

/** Runs part of a program under mocks, and waits until all that it registered is there. */
export async function underMocks<T>(
  program: () => T | Promise<T>,
  options: { readonly preview?: boolean; readonly answers?: Answers; readonly stack?: string } = {},
): Promise<MockedRun<T>> {
  const resources: Registered[] = [];
  const { preview = false, stack = "dev" } = options;
  const known = { ...answers, ...options.answers };
  const inputsByName = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const given = inputs as Record<string, unknown>;
        inputsByName.set(`${type} ${name}`, given);
        return { id: `${name}-id`, state: computed(type, name, given) };
      },
      call: ({ token, inputs }) => {
        const answer = known[token];
        if (answer === undefined) throw new Error(`no mocked answer of ${token}`);
        return answer(inputs as Record<string, unknown>);
      },
    },
    "berth",
    stack,
    preview,
  );
  watchRegistrations(resources, inputsByName);
  const result = await program();
  await pulumi.runtime.disconnect();
  return { resources, result, ...lookups(resources) };
}

function watchRegistrations(
  resources: Registered[],
  inputsByName: ReadonlyMap<string, Record<string, unknown>>,
): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    const providers: string[] = [];
    request.getProvidersMap().forEach((value) => providers.push(value));
    const [type, name] = [request.getType(), request.getName()];
    resources.push({
      type,
      name,
      // The mock is called with the inputs before the registration is answered, so they are read late.
      get inputs() {
        return inputsByName.get(`${type} ${name}`) ?? {};
      },
      parent: request.getParent(),
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      dependencies: request.getDependenciesList(),
      protect: request.getProtect(),
      providers: [request.getProvider(), ...providers].filter((provider) => provider !== ""),
    });
    return register(request, done);
  };
}

function lookups(
  resources: readonly Registered[],
): Omit<MockedRun<unknown>, "result" | "resources"> {
  return {
    named: (name) => {
      const [found, ...others] = resources.filter((resource) => resource.name === name);
      if (found === undefined || others.length > 0) {
        const names = resources.map((resource) => resource.name).join(", ");
        throw new Error(`not exactly one resource "${name}" among ${names}`);
      }
      return found;
    },
    childrenOf: (component) =>
      resources
        .filter(({ parent }) => parent.endsWith(`::${component}`))
        .map(({ type, name }) => [type, name] as const)
        .toSorted(([, a], [, b]) => a.localeCompare(b)),
  };
}

/** The value of an output; a failure inside it is thrown, so that a test that awaits this can fail. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  const promised = output as unknown as { promise(): Promise<T> };
  return promised.promise();
}
