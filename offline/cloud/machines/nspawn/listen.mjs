// Listens in the network namespace that it is started in, hands the listening sockets to its parent, and ends
// when they are taken: an end before that could overtake them.
// Usage: node listen.mjs ADDRESS PORT
import { createServer } from "node:net";

const [, , address, port] = process.argv;
const server = createServer();
server.on("error", (error) => {
  process.send({ error: error.message }, () => process.exit(1));
});
server.listen(Number(port), address, () => {
  process.send("listening", server);
});
process.on("disconnect", () => process.exit(0));
