import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy whose connections can be cut, or frozen so that nothing passes and nothing is said. */
export class CutProxy {
  /** Connections made so far. */
  connections = 0;
  /** Connections that were turned away while it was shut. */
  refused = 0;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #target: number;
  readonly #address: string;
  #frozen = false;
  #shut = false;
  readonly #server = createServer((socket) => {
    if (this.#shut) {
      this.refused += 1;
      socket.destroy();
      return;
    }
    this.connections += 1;
    const upstream = connect(this.#target, this.#address);
    const pair = [socket, upstream] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [upstream, socket] as const]) {
      from.on("data", (chunk) => {
        if (!this.#frozen) to.write(chunk);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  });

  constructor(target: number, address = "127.0.0.1") {
    this.#target = target;
    this.#address = address;
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Destroys every connection; new ones pass. */
  cut(): void {
    for (const [socket, upstream] of this.#pairs) {
      socket.destroy();
      upstream.destroy();
    }
  }

  /** Shuts the way or opens it again: connections are cut, and new ones turned away meanwhile. */
  shut(shut: boolean): void {
    this.#shut = shut;
    if (shut) this.cut();
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
