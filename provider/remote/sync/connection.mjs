// One kept-alive HTTP/1.1 connection for GETs whose bodies go straight into given memory. Node's own client hands out chunks
// of its choosing; reading into one's own buffer (`onread`) takes half of its processor time.

import { lookup as systemLookup, resolve4 } from "node:dns";
import net from "node:net";
import tls from "node:tls";
import { Transient } from "./outcome.mjs";

const headRoom = 32 * 1024;
const ciphers = [
  // 128 bits first: a third cheaper than 256, and S3 takes both.
  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384",
].join(":");

/** Spreads connections over all addresses of a name: S3 gives several, and the system's resolver the same one first. */
function spreadLookup(hostname, options, callback) {
  resolve4(hostname, (error, addresses) => {
    // Names of the hosts file and IPv6 are the system resolver's.
    if (error || addresses.length === 0) return systemLookup(hostname, options, callback);
    const address = addresses[Math.floor(Math.random() * addresses.length)];
    if (options.all) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  });
}

const sessions = new Map();

/** Where a server is. */
export class Origin {
  #context;

  constructor(address) {
    const { protocol, hostname, port, host, pathname } = new URL(address);
    this.secure = protocol === "https:";
    this.hostname = hostname.replaceAll(/[[\]]/g, "");
    this.port = Number(port) || (this.secure ? 443 : 80);
    this.host = host;
    this.path = pathname;
  }

  connect(onread) {
    const where = { host: this.hostname, port: this.port, onread };
    if (net.isIP(this.hostname) === 0) where.lookup = spreadLookup;
    if (!this.secure) return net.connect(where);
    this.#context ??= tls.createSecureContext({ ciphers, minVersion: "TLSv1.2" });
    const servername = net.isIP(this.hostname) === 0 ? this.hostname : "";
    const socket = tls.connect({
      ...where,
      servername,
      secureContext: this.#context,
      session: sessions.get(this.host),
    });
    socket.on("session", (session) => sessions.set(this.host, session));
    return socket;
  }
}

function parseHead(text) {
  const [first, ...lines] = text.split("\r\n");
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]), headers };
}

export class Connection {
  #origin;
  #socket;
  #head = Buffer.allocUnsafeSlow(headRoom);
  #headLength = 0;
  #body; // where the body goes, from the time that the answer's head is known
  #got = 0;
  #exchange; // { accept, grow, resolve, reject }
  #answer;
  /** When bytes came last, or the request left. */
  heardAt = 0;

  constructor(origin) {
    this.#origin = origin;
  }

  get busy() {
    return this.#exchange !== undefined;
  }

  /**
   * Sends a request, and puts the body of the answer where `accept({status, headers})` says (a Uint8Array of the body's
   * length; undefined: the answer is an error, whose first bytes come as `text`). `grow(got)` is told how much is there.
   */
  exchange(request, accept, grow) {
    return new Promise((resolve, reject) => {
      this.#exchange = { accept, grow, resolve, reject };
      this.#headLength = this.#got = 0;
      this.#body = this.#answer = undefined;
      this.heardAt = Date.now();
      if (this.#socket === undefined) this.#open();
      this.#socket.write(request, "latin1");
    });
  }

  /** Ends the connection and what is under way on it. */
  abort(error) {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.reject(error);
  }

  #open() {
    const socket = this.#origin.connect({
      buffer: () => this.#room(),
      callback: (count, view) => {
        if (this.#socket === socket) this.#take(count, view);
        return true;
      },
    });
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("error", (error) => this.#lost(socket, error));
    socket.on("end", () => this.#lost(socket, undefined));
    socket.on("close", () => this.#lost(socket, undefined));
  }

  #lost(socket, error) {
    if (this.#socket !== socket) return;
    if (this.#answer !== undefined && this.#body === undefined) return this.#refused();
    const lost = new Transient(error?.message ?? "the server ended the connection");
    if (error?.code !== undefined) lost.cause = error.code;
    this.abort(lost);
  }

  #room() {
    if (this.#body !== undefined && this.#got < this.#body.length)
      return this.#body.subarray(this.#got);
    return this.#head.subarray(this.#headLength);
  }

  #take(count, view) {
    this.heardAt = Date.now();
    if (this.#exchange === undefined) return this.abort(new Transient("the server speaks unasked"));
    if (this.#body !== undefined && view.buffer === this.#body.buffer) return this.#grow(count);
    this.#headLength += count;
    if (this.#answer === undefined) this.#parse();
    else this.#collect();
  }

  #grow(count) {
    this.#got += count;
    this.#exchange.grow(this.#got);
    if (this.#got === this.#body.length) this.#end({ ...this.#answer, bytes: this.#got });
  }

  #parse() {
    const end = this.#head.subarray(0, this.#headLength).indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#headLength === headRoom) this.abort(new Transient("the answer's head is too long"));
      return;
    }
    this.#answer = parseHead(this.#head.toString("latin1", 0, end));
    const early = this.#head.subarray(end + 4, this.#headLength);
    let body;
    try {
      body = this.#exchange.accept(this.#answer);
    } catch (error) {
      return this.abort(error);
    }
    if (body === undefined) {
      this.#head.copyWithin(0, end + 4, this.#headLength);
      this.#headLength = early.length;
      return this.#collect();
    }
    this.#body = body;
    if (early.length > body.length) return this.abort(new Transient("more bytes than announced"));
    body.set(early);
    this.#headLength = 0;
    this.#grow(early.length);
  }

  /** Of an error's body only what fits is of use. */
  #collect() {
    const { headers } = this.#answer;
    const length = Number(headers["content-length"] ?? NaN);
    const seen = this.#head.subarray(0, this.#headLength);
    const whole = this.#headLength >= length || seen.subarray(-5).equals(Buffer.from("0\r\n\r\n"));
    if (whole || this.#headLength === headRoom) this.#refused();
  }

  #refused() {
    const text = this.#head.toString("utf8", 0, this.#headLength);
    const answer = { ...this.#answer, text };
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.abort();
    exchange?.resolve(answer);
  }

  #end(answer) {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#headLength = 0;
    if (answer.headers.connection?.toLowerCase() === "close") this.abort();
    exchange.resolve(answer);
  }
}
