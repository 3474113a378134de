import { z } from "zod";
import { connectionSchema } from "../../provider/connection.ts";
import { leaseSchema } from "../adapters/stack-state.ts";
import { outputsSchema } from "../stack/stack-outputs.ts";
import type { StackFacts } from "./readings.ts";

const values = z.record(z.string(), z.unknown());
const resourceSchema = z.looseObject({
  type: z.string(),
  urn: z.string(),
  inputs: values.optional(),
  outputs: values.optional(),
});
const exportSchema = z.looseObject({
  deployment: z
    .looseObject({
      resources: z.array(resourceSchema).nullish(),
      pending_operations: z
        .array(z.looseObject({ resource: resourceSchema, type: z.string() }))
        .nullish(),
    })
    .nullish(),
});

type Resource = z.infer<typeof resourceSchema>;

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

const machineType = "berth:index:ExistingHost";

/**
 * How the host is reached, with the key to pin: that which a launched host made itself, so none before the first contact; that
 * of the settings for a machine that was there already.
 */
function connectionOf(resources: readonly Resource[]): StackFacts["connection"] {
  const machine = resources.find(({ type }) => type === machineType);
  if (machine !== undefined) return connectionSchema.safeParse(machine.inputs?.["connection"]).data;
  const rotation = propertiesOf(resources, "berth:index:HostKeyRotation", "outputs");
  const seeded = connectionSchema.safeParse(rotation["connection"]).data;
  const hostKey = rotation["hostKey"];
  return seeded === undefined || typeof hostKey !== "string" ? undefined : { ...seeded, hostKey };
}

function text(value: unknown): string | undefined {
  return z.string().safeParse(value).data;
}

/** The first resource of a type, of several hosts that of the first; one that is being made tells its inputs alone. */
function propertiesOf(resources: readonly Resource[], type: string, side: "inputs" | "outputs") {
  const all = resources.filter((resource) => resource.type === type);
  const ofFirstHost = all.find(({ urn }) => /-host-0(-|$)/.test(nameOf(urn)));
  return (ofFirstHost ?? all[0])?.[side] ?? {};
}

/** Marks an encrypted value in a state: https://www.pulumi.com/docs/iac/concepts/secrets/ */
const secretMark = "4dabf18193072939515e22adb298388d";

/** The stack's outputs, each by itself, without the secret ones: one that cannot be read hides no other. */
function readableOutputs(outputs: Readonly<Record<string, unknown>>): StackFacts["outputs"] {
  const readable = Object.entries(outputs).filter(([key, value]) => {
    const encrypted = values.safeParse(value).data;
    if (encrypted !== undefined && secretMark in encrypted) return false;
    return outputsSchema.safeParse({ [key]: value }).success;
  });
  return outputsSchema.parse(Object.fromEntries(readable));
}

/**
 * What `pulumi stack export` tells of a stack. Secrets stay encrypted: none is needed.
 *
 * @throws ZodError when it is no export
 */
export function stackFacts(exported: unknown): StackFacts {
  const { deployment } = exportSchema.parse(exported);
  const resources = deployment?.resources ?? [];
  const begun = deployment?.pending_operations ?? [];
  const outputsOf = (type: string) => propertiesOf(resources, type, "outputs");
  const known = [...resources, ...begun.map(({ resource }) => resource)];
  const server = propertiesOf(known, "berth:index:ModelServer", "inputs");
  const account = propertiesOf(resources, "pulumi:providers:aws", "inputs");
  const outputs = readableOutputs(outputsOf("pulumi:pulumi:Stack"));
  const verified = values.safeParse(outputsOf("berth:index:HostBootstrap")["verified"]).data;
  const endpoint = text(outputsOf("berth:index:HostedEndpoint")["endpointName"]);
  const instance = text(
    outputsOf("berth:index:GpuHost")["instanceId"] ??
      outputsOf("berth:index:GroupHost")["instanceId"],
  );
  return {
    resources: resources.filter(({ type }) => !type.startsWith("pulumi:")).length,
    pending: begun.map(({ type, resource }) => ({ operation: type, name: nameOf(resource.urn) })),
    lease: leaseSchema.safeParse(outputsOf("berth:index:Lease")).data,
    outputs,
    region: text(account["region"]),
    connection: connectionOf(resources),
    ownMachine: known.some(({ type }) => type === machineType),
    serverPort: z.coerce.number().optional().safeParse(server["port"]).data,
    endpointName: outputs.endpointName ?? endpoint,
    instanceId: outputs.instanceId ?? instance,
    fakeGpu: verified?.["cuda"] === "emulated",
  };
}
