import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../components/user-error.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import { ensureFolder } from "../../provider/connection.ts";
import { ensurePython } from "../../provider/ensure-python.ts";
import { remoteScript } from "../../provider/remote/scripts.ts";

/** JupyterLab that is installed on hosts, and what it is made for (https://pypi.org/project/jupyterlab/4.6.6/). */
export const jupyterVersion = "4.6.6";
const jupyterPythons = ["3.10", "3.11", "3.12", "3.13", "3.14"];
/** What the first notebook is called. */
export const firstNotebookName = "ask-the-model.ipynb";

const notebookScript = remoteScript("notebook.sh");
const serverScript = [
  "export BERTH_UNIT=berth-notebook BERTH_UNIT_TITLE=JupyterLab",
  remoteScript("model-server.sh"),
].join("\n");
/** Some ninety packages over a slow link. */
const installMs = 900_000;
const startSeconds = 60;

/** Where a host's notebooks are. */
export interface NotebookPlace {
  /** `/opt/berth`, where the host's files are. */
  readonly dataFolder: string;
  /** On the host's loopback. */
  readonly port: number;
}

/** A notebook server that runs on a host. */
export interface RunningNotebook {
  readonly token: string;
  /** The folder of the notebooks, on the host. */
  readonly workFolder: string;
  readonly started: boolean;
}

const known: Readonly<Record<string, string>> = {
  E_VENV: "On Debian and Ubuntu: sudo apt-get install python3-venv",
  E_PORT: "Choose another port with --host-port, or stop what holds it.",
};

function refused(what: string, host: Host, stderr: string): UserError {
  const [, code = "", words = ""] = /^(E_[A-Z]+) (.*)$/m.exec(stderr) ?? [];
  const hint = known[code];
  const last = stderr.trim().split("\n").slice(-3).join(" ");
  return new UserError(`${what} on ${host.name}: ${hint === undefined ? last : words}.`, { hint });
}

async function run(
  host: Host,
  what: string,
  call: readonly [string, readonly string[]],
  timeoutMs: number,
) {
  const [script, args] = call;
  const { code, stdout, stderr } = await host.script(script, { args, timeoutMs });
  if (code !== 0) throw refused(what, host, stderr);
  return stdout.trim();
}

/** Waits until the server answers to its token, or has ended. */
async function untilReady(
  { port, token }: { readonly port: number; readonly token: string },
  ended: () => Promise<boolean>,
): Promise<boolean> {
  const endMs = Date.now() + startSeconds * 1000;
  for (let turn = 1; Date.now() < endMs; turn += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`, {
      headers: { authorization: `token ${token}`, connection: "close" },
      signal: AbortSignal.timeout(5000),
    }).catch(() => undefined);
    if (answer?.ok === true) return true;
    if (turn % 10 === 0 && (await ended())) return false;
    await sleep(300);
  }
  return false;
}

function jupyterWords(folder: string, port: number): readonly string[] {
  return [
    "env",
    `JUPYTER_TOKEN_FILE=${folder}/token`,
    `${folder}/venv/bin/python`,
    ...["-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", `--port=${port}`],
    "--ServerApp.port_retries=0",
    `--ServerApp.root_dir=${folder}/work`,
    // Where the login user is root: it is that one who is asked for, and none else.
    "--allow-root",
  ];
}

async function folderOf(host: Host, { dataFolder }: NotebookPlace): Promise<string> {
  return `${await ensureFolder(host, dataFolder)}/notebook`;
}

/** How a notebook server is started. */
export interface FirstStart {
  /** The first notebook. */
  readonly notebook: string;
  /** A port of this machine that leads to the server's. */
  readonly tunnel: number;
  /** Gets what is installed on the way. @default nobody */
  readonly onLine?: ((line: string) => void) | undefined;
}

/**
 * Installs JupyterLab on a host and starts it on the host's loopback, with a token that is made there; what is there and
 * runs is left alone, and so are notebooks that somebody has changed.
 *
 * @throws UserError when it cannot be installed, its port is taken, or it does not come up
 */
export async function startNotebook(
  host: Host,
  place: NotebookPlace,
  { notebook, tunnel, onLine = () => undefined }: FirstStart,
): Promise<RunningNotebook> {
  const folder = await folderOf(host, place);
  const { port } = place;
  const need = { who: `JupyterLab ${jupyterVersion}`, versions: jupyterPythons };
  const python = await ensurePython(host, { need, dataFolder: place.dataFolder, onLine });
  const prepare = [notebookScript, ["prepare", folder, jupyterVersion, python]] as const;
  await run(host, "JupyterLab cannot be installed", prepare, installMs);
  const workFolder = `${folder}/work`;
  const put = `[ -e "$1" ] || cat >"$1" <<'NOTEBOOK'\n${notebook}NOTEBOOK\n`;
  await host.output(put, [`${workFolder}/${firstNotebookName}`]);
  const server = `${folder}/server`;
  const words = jupyterWords(folder, port);
  const start = [serverScript, ["start", server, String(port), ...words]] as const;
  const state = await run(host, "JupyterLab cannot be started", start, 60_000);
  const token = await host.output(notebookScript, ["token", folder]);
  const status = async () => (await host.output(serverScript, ["status", server])).trim();
  const ended = async () => (await status()) === "stopped";
  if (!(await untilReady({ port: tunnel, token }, ended))) {
    const log = await host.output(serverScript, ["log", server]);
    throw new UserError(`JupyterLab on ${host.name} does not come up.`, {
      problems: log.trim().split("\n").slice(-6),
    });
  }
  await host.output(notebookScript, ["watch", folder, String(port)]);
  return { token, workFolder, started: state.startsWith("started") };
}

/** Stops the notebook server and its kernels; the notebooks stay. */
export async function stopNotebook(host: Host, place: NotebookPlace): Promise<void> {
  const folder = await folderOf(host, place);
  await host.output(serverScript, ["stop", `${folder}/server`]);
}
