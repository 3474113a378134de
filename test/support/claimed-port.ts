import { createServer, type Server } from "node:net";

/** A port of loopback that nobody else is given while it is held. */
export interface ClaimedPort {
  readonly port: number;
  release(): Promise<void>;
}

/** Below the range that systems give away by themselves, which begins at 32768 on Linux and at 49152 elsewhere. */
const range = { first: 20_000, last: 29_998 };

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => {
      resolve(undefined);
    });
    server.listen(port, "127.0.0.1", () => {
      resolve(server);
    });
  });
}

const closed = (server: Server) =>
  new Promise<void>((resolve) =>
    server.close(() => {
      resolve();
    }),
  );

/**
 * A port for a program that cannot be handed a socket. What is asked of the system and given back may be the next process's; this
 * one is of no range that the system gives from, and is claimed from other tests by its neighbour, which is held.
 */
export async function claimPort(): Promise<ClaimedPort> {
  const count = (range.last - range.first) / 2 + 1;
  const begin = Math.floor(Math.random() * count);
  for (let tried = 0; tried < count; tried += 1) {
    const port = range.first + 2 * ((begin + tried) % count);
    const claim = await listen(port + 1);
    if (claim === undefined) continue;
    const free = await listen(port);
    if (free !== undefined) {
      await closed(free);
      return { port, release: () => closed(claim) };
    }
    await closed(claim);
  }
  throw new Error(`every port from ${range.first} to ${range.last} is taken`);
}
