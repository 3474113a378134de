// Answers at once, in a thread of its own: what a client takes of it is the most that the client can take of any server.

import { createServer } from "node:http";
import { parentPort } from "node:worker_threads";

const part = `data: ${JSON.stringify({
  id: "cmpl-0",
  object: "text_completion",
  created: 0,
  model: "instant",
  choices: [{ index: 0, text: " word", logprobs: null, finish_reason: null }],
})}\n\n`;
const end = `data: ${JSON.stringify({ choices: [{ index: 0, text: "", finish_reason: "length" }] })}\n\ndata: [DONE]\n\n`;

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    let left = JSON.parse(body).max_tokens;
    response.writeHead(200, { "content-type": "text/event-stream" });
    const next = () => {
      if (response.destroyed) return;
      if (left === 0) {
        response.end(end);
        return;
      }
      left -= 1;
      response.write(part);
      // One part a write, as a server does that makes them one by one.
      setImmediate(next);
    };
    next();
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
