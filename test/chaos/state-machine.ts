/** A call that a state machine makes: `ec2:terminateInstances`, with its parameters. */
export type Call = (name: string, parameters: Readonly<Record<string, unknown>>) => unknown;

/** Whether something is there, and is a word where one is wanted. */
interface Test {
  readonly Variable?: string;
  readonly StringEquals?: string;
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Parameters?: unknown;
  readonly ResultPath?: string | null;
  readonly Resource?: string;
  readonly Retry?: readonly { readonly MaxAttempts: number }[];
  readonly Catch?: readonly { readonly ResultPath?: string; readonly Next: string }[];
  readonly Choices?: readonly (Test & { readonly And?: readonly Test[]; readonly Next: string })[];
  readonly Default?: string;
  readonly ItemsPath?: string;
  readonly Iterator?: Machine;
  readonly Branches?: readonly Machine[];
}

interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** Values at a path such as `$.answer.Reservations[*].Instances[*].InstanceId`. */
function valuesAt(path: string, data: unknown): readonly unknown[] {
  let found: readonly unknown[] = [data];
  for (const [, name, index] of path.slice(1).matchAll(/\.(\w+)|\[(\*|\d+)\]/g)) {
    found = found.flatMap((value): readonly unknown[] => {
      if (name !== undefined) {
        const member = (value as Record<string, unknown> | undefined)?.[name];
        return member === undefined ? [] : [member];
      }
      const list = Array.isArray(value) ? (value as unknown[]) : [];
      return index === "*" ? list : list.slice(Number(index), Number(index) + 1);
    });
  }
  return found;
}

/** The one intrinsic function that the definitions have: the name at the end of an ARN. */
const lastOfArn = /^States\.ArrayGetItem\(States\.StringSplit\(([^,]+), '\/'\), 1\)$/;

function filled(template: unknown, data: unknown): unknown {
  if (Array.isArray(template)) return template.map((entry) => filled(entry, data));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => {
      if (!key.endsWith(".$")) return [key, filled(value, data)];
      const path = String(value);
      if (path === "$$.Execution.Name") return [key.slice(0, -2), "one-execution"];
      const [, split] = lastOfArn.exec(path) ?? [];
      if (split !== undefined) {
        const [arn] = valuesAt(split, data);
        return [key.slice(0, -2), String(arn).split("/")[1]];
      }
      const found = valuesAt(path, data);
      if (!path.includes("[*]") && found.length === 0) throw new Error(`nothing at ${path}`);
      return [key.slice(0, -2), path.includes("[*]") ? found : found[0]];
    }),
  );
}

function placed(path: string | null | undefined, data: unknown, result: unknown): unknown {
  if (path === undefined) return result;
  if (path === null) return data;
  return { ...(data as object), [path.slice(2)]: result };
}

/** How often a machine that waits for something to end goes round. */
const mostSteps = 500;

/** A sweep runs 72 times after each deadline. */
const parsed = new Map<string, Machine>();

/**
 * Runs a definition in Amazon States Language, as much of it as berth's machines use, on a model of the account. Waits take no
 * time, and a task is tried again at once.
 */
export function runMachine(definition: string, input: unknown, call: Call): unknown {
  const machine = parsed.get(definition) ?? (JSON.parse(definition) as Machine);
  parsed.set(definition, machine);
  return run(machine, input, call);
}

function run({ StartAt, States }: Machine, input: unknown, call: Call): unknown {
  let data = input;
  let name = StartAt;
  for (let step = 0; step < mostSteps; step += 1) {
    const state = States[name];
    if (state === undefined) throw new Error(`there is no state ${name}`);
    let next: string | undefined;
    try {
      ({ data, next } = enter(state, data, call));
    } catch (error) {
      const caught = state.Catch?.[0];
      if (caught === undefined) throw error;
      data = placed(caught.ResultPath, data, { Error: String(error) });
      next = caught.Next;
    }
    if (next === undefined) return data;
    name = next;
  }
  return data;
}

function holds({ Variable = "$", StringEquals }: Test, data: unknown): boolean {
  const found = valuesAt(Variable, data);
  return StringEquals === undefined ? found.length > 0 : found.includes(StringEquals);
}

function enter(
  state: State,
  data: unknown,
  call: Call,
): { readonly data: unknown; readonly next: string | undefined } {
  const next = state.End === true ? undefined : state.Next;
  switch (state.Type) {
    case "Succeed":
      return { data, next: undefined };
    case "Wait":
      return { data, next };
    case "Pass": {
      const result = state.Parameters === undefined ? data : filled(state.Parameters, data);
      return { data: placed(state.ResultPath, data, result), next };
    }
    case "Choice": {
      const chosen = state.Choices?.find((choice) =>
        (choice.And ?? [choice]).every((test) => holds(test, data)),
      );
      return { data, next: chosen?.Next ?? state.Default };
    }
    case "Task":
      return { data: placed(state.ResultPath, data, attempt(state, data, call)), next };
    case "Map": {
      const items = valuesAt(state.ItemsPath ?? "$", data).flat();
      const iterator = state.Iterator!;
      const results = items.map((item) => run(iterator, item, call));
      return { data: placed(state.ResultPath, data, results), next };
    }
    case "Parallel":
      return { data: (state.Branches ?? []).map((branch) => run(branch, data, call)), next };
    default:
      throw new Error(`the state ${state.Type} is not modelled`);
  }
}

function attempt({ Resource = "", Parameters, Retry }: State, data: unknown, call: Call): unknown {
  const name = Resource.slice(Resource.indexOf("aws-sdk:") + "aws-sdk:".length);
  const parameters = filled(Parameters ?? {}, data) as Record<string, unknown>;
  for (let left = Retry?.[0]?.MaxAttempts ?? 0; ; left -= 1) {
    try {
      return call(name, parameters);
    } catch (error) {
      if (left <= 0) throw error;
    }
  }
}
