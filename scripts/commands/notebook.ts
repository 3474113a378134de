import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { hostDataFolder } from "../../components/host-folders.ts";
import { firstNotebook, type FirstNotebook } from "../../components/notebook/first-notebook.ts";
import { UserError } from "../../components/user-error.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import { regionOfStack } from "../adapters/stack-file.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import {
  firstNotebookName,
  jupyterVersion,
  startNotebook,
  stopNotebook,
  type NotebookPlace,
} from "../notebook/host-notebook.ts";
import { openInstanceNotebook } from "../notebook/instance-notebook.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { outputsOfHost, type HostOption } from "../stack/stack-hosts.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

/** Flags of `berth notebook`. */
export interface NotebookOptions extends StackOptions, HostOption {
  /** Port of the host's loopback. */
  readonly hostPort: string;
  /** Writes the first notebook to this file, and does nothing else. */
  readonly write?: string;
  readonly stop?: boolean;
}

/**
 * The first notebook of a stack, on whichever target its model is.
 *
 * @throws UserError when it serves none that a notebook can ask
 */
export function notebookOf(outputs: BerthOutputs, region: string): FirstNotebook {
  const { plan, url, endpointName, asyncUri, inferenceComponent, hourlyUsd, expiresAt } = outputs;
  const form = plan?.endpoint?.container.requestForm ?? "completion";
  const end = expiresAt === "" ? undefined : expiresAt;
  const shared = { modelId: plan?.modelId ?? "the model", form, hourlyUsd, expiresAt: end };
  const answersAtOnce = asyncUri === undefined && inferenceComponent === undefined;
  if (endpointName !== undefined && answersAtOnce) {
    return { ...shared, model: { kind: "endpoint", endpointName, region } };
  }
  if (url !== undefined) {
    return { ...shared, model: { kind: "server", baseUrl: `${url.replace(/\/+$/, "")}/v1` } };
  }
  throw new UserError("This stack serves no model that a notebook could ask.", {
    hint: "Run berth up first. An endpoint that queues, or whose copies may have to wake up, is asked with berth invoke.",
  });
}

function noNotebook(): UserError {
  return new UserError("This endpoint has no notebook instance.", {
    hint: "Set berth:notebookType to ml.t3.medium and run up; or take the first notebook elsewhere, with --write ask.ipynb.",
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1024 && port <= 65_535) return port;
  throw new UserError(`--host-port: "${text}" is no port from 1024 to 65535.`);
}

/** Until Ctrl-C, or until the connection is lost. */
async function hold(host: Host): Promise<"stopped" | "lost"> {
  const stop = new AbortController();
  const end = (): void => {
    stop.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, end);
  const session = await host.session();
  try {
    while (session.open) await sleep(1000, undefined, { signal: stop.signal });
    return "lost";
  } catch (error) {
    if (stop.signal.aborted) return "stopped";
    throw error;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, end);
  }
}

async function serve(host: Host, place: NotebookPlace, first: FirstNotebook, terminal: Terminal) {
  terminal.say(
    "notebook   starting; the first time, JupyterLab is installed, which takes a minute or two",
  );
  const session = await host.session();
  const { port: tunnel, close } = await session.forward(place.port);
  try {
    const notebook = firstNotebook(first);
    const onLine = (line: string) => {
      terminal.say(`notebook   ${line}`);
    };
    const { token, workFolder } = await startNotebook(host, place, { notebook, tunnel, onLine });
    const address = `http://127.0.0.1:${tunnel}/lab/tree/${firstNotebookName}?token=${token}`;
    terminal.say(
      `notebook   JupyterLab ${jupyterVersion} on ${host.name}, on its loopback alone; files are in ${workFolder}`,
      `address    ${address}`,
      "           through SSH while this runs. Ctrl-C closes that; the server and its kernels stay, until --stop.",
    );
    terminal.result({ address, hostPort: place.port, workFolder, version: jupyterVersion });
    return await hold(host);
  } finally {
    close();
  }
}

/**
 * `berth notebook`: JupyterLab on the stack's host, through SSH, or on the notebook instance beside its endpoint, with a first
 * notebook that asks the model.
 */
export async function runNotebook(options: NotebookOptions, terminal: Terminal): Promise<number> {
  const { env, write, stop = false } = options;
  const place = { dataFolder: hostDataFolder, port: portOf(options.hostPort) };
  const opened = await findDeployment(options, cloudOf(env));
  const all = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  const outputs = outputsOfHost(all, options);
  if (write !== undefined) {
    await writeFile(write, firstNotebook(notebookOf(outputs, regionOfStack(env))));
    terminal.say(`notebook   ${write}`);
    terminal.result({ file: write });
    return exitCode.ok;
  }
  const { notebookName } = outputs;
  if (notebookName !== undefined) {
    const cloud = cloudOf(env);
    const { client } = accountOf(env, regionOfStack(env), cloud);
    const now = await readClock(cloud);
    return openInstanceNotebook({ outputs, notebookName, client, now, stop }, terminal);
  }
  if (outputs.endpointName !== undefined) throw noNotebook();
  const { address, ...target } = sshTarget(outputs);
  const host = hostOf({ ...target, host: address }, { connectMs: 30_000 });
  return onHost(host, async () => {
    if (stop) {
      await stopNotebook(host, place);
      terminal.say("notebook   stopped, with its kernels; the files stay on the host");
      terminal.result({ stopped: true });
      return exitCode.ok;
    }
    const ended = await serve(host, place, notebookOf(outputs, regionOfStack(env)), terminal);
    if (ended === "stopped") return exitCode.ok;
    throw new UserError("The connection to the host was lost; the notebooks go on there.", {
      hint: "Run berth notebook again; berth status says whether the host is still there.",
    });
  });
}
