/** What `berth` says when it is asked nothing: where to begin. */
export const firstSteps = `berth: from a model's name to a running, priced and time-limited GPU host, and down again.

  berth plan llama-2-7b    what it needs, where it fits, what it costs; no account, no network
  berth demo               the whole way in an emulated AWS, in a minute or two; no account either
  berth init --help        your own: init, push, preview, up, invoke, extend, down
  berth audit              all that berth made in your account, and what it costs an hour

berth --help lists every command, berth <command> --help the flags of one; docs/guide.md begins with the questions.
`;
