import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

function greets(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => {
      settle(false);
    });
    socket.once("error", () => {
      settle(false);
    });
    socket.once("close", () => {
      settle(false);
    });
    socket.once("data", (chunk: Buffer) => {
      settle(chunk.toString("latin1").startsWith("SSH-"));
    });
  });
}

/** Resolves when an SSH server greets there. @throws Error when none does in time */
export async function waitForSsh(address: string, port: number, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (await greets(address, port)) return;
    await sleep(50);
  }
  throw new Error(`no SSH server answered on ${address}:${port} within ${seconds} s`);
}
