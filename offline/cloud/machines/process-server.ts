import { spawn, type ChildProcess } from "node:child_process";
import { connect } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from "ssh2";

/** What a login to a machine gets. */
export interface Login {
  readonly hostPrivateKey: string;
  /** OpenSSH public lines that may log in. */
  readonly authorizedKeys: readonly string[];
  readonly user: string;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
}

function isAllowed(context: AuthContext, { authorizedKeys, user }: Login): boolean {
  if (context.method !== "publickey" || context.username !== user) return false;
  return authorizedKeys.some((line) => {
    const key = ssh2.utils.parseKey(line);
    if (key instanceof Error) return false;
    if (!key.getPublicSSH().equals(context.key.data)) return false;
    if (context.signature === undefined || context.blob === undefined) return true;
    return key.verify(context.blob, context.signature, context.hashAlgo);
  });
}

/** Wires a process to a channel: both ends see the other's end, and its exit status or signal. */
function join(channel: ServerChannel, child: ChildProcess): void {
  channel.pipe(child.stdin ?? channel);
  child.stdin?.on("error", () => undefined);
  child.stdout?.pipe(channel, { end: false });
  child.stderr?.pipe(channel.stderr, { end: false });
  child.on("error", () => {
    channel.exit(127);
  });
  child.on("close", (code, signal) => {
    if (signal === null) channel.exit(code ?? 1);
    else channel.exit(signal.slice("SIG".length), false, "");
    channel.end();
  });
}

function serveSession(session: Session, login: Login): void {
  const environment: Record<string, string> = { ...login.environment };
  let child: ChildProcess | undefined;
  const run = (args: readonly string[], channel: ServerChannel) => {
    const started = spawn("bash", args, { cwd: login.home, env: environment, detached: true });
    child = started;
    join(channel, started);
  };
  session.on("env", (accept: (() => void) | undefined, _reject, { key, val }) => {
    environment[key] = val;
    accept?.();
  });
  session.on("pty", (accept: (() => void) | undefined) => accept?.());
  session.on("exec", (accept, _reject, { command }) => {
    run(["-c", command], accept());
  });
  session.on("shell", (accept) => {
    run(["-l"], accept());
  });
  session.on("signal", (accept: (() => void) | undefined, _reject, { name }) => {
    accept?.();
    if (child?.pid !== undefined) process.kill(-child.pid, `SIG${name}` as NodeJS.Signals);
  });
}

function serveForward(client: Connection): void {
  client.on("tcpip", (accept, reject, { destIP, destPort }) => {
    const socket = connect(destPort, destIP);
    socket.once("connect", () => {
      const channel = accept();
      socket.on("error", () => channel.destroy());
      channel.on("error", () => socket.destroy());
      channel.pipe(socket).pipe(channel);
    });
    socket.once("error", () => {
      reject();
    });
  });
}

/** An SSH server for one machine, not listening yet. */
export function sshServer(login: Login): ssh2.Server {
  return new ssh2.Server({ hostKeys: [login.hostPrivateKey] }, (client) => {
    client.on("authentication", (context) => {
      if (isAllowed(context, login)) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("ready", () => {
      client.on("session", (accept) => {
        serveSession(accept(), login);
      });
      serveForward(client);
    });
    // A client that goes away in the middle is no event of the machine's.
    client.on("error", () => undefined);
  });
}
