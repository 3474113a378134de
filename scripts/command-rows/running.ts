import { engine, env, host, licence, type CommandRow } from "./row.ts";

/** What brings a deployment up and works with it. */
export const running: readonly CommandRow[] = [
  {
    syntax: "preview",
    summary: "the plan, and every resource that `up` would make, change or remove",
    flags: [env, engine, ["--markdown <file>", "write it as a comment for a pull request too"]],
    run: async (_words, flags, terminal) =>
      (await import("../commands/preview.ts")).runPreview(flags as never, terminal),
  },
  {
    syntax: "up",
    summary: "deploy: plan, steps with their time, outputs, cost and deadline",
    flags: [env, engine, licence],
    run: async (_words, flags, terminal) =>
      (await import("../commands/up.ts")).runUp(flags as never, terminal),
  },
  {
    syntax: "status",
    summary: "host, answer, cost so far and time left",
    flags: [env, engine, ["--no-probe", "do not log in to ask the model server"]],
    run: async (_words, flags, terminal) =>
      (await import("../commands/status.ts")).runStatus(flags as never, terminal),
  },
  {
    syntax: "dashboard",
    summary: "every stack on a page of this machine: state, cost, deadline, health; it only reads",
    flags: [
      engine,
      ["--port <port>", "of loopback (default: a free one)"],
      ["--regions <regions>", "to ask besides those of the stacks, with commas between"],
      ["--no-probe", "do not log in to hosts"],
      ["--once <file>", "write one page that changes no more, and end"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/dashboard.ts")).runDashboard(flags as never, terminal),
  },
  {
    syntax: "sync",
    summary: "bring the weights of a running host up to date; only what changed is fetched",
    flags: [env, engine, ["--verify", "read every byte on the host instead, and compare it"]],
    run: async (_words, flags, terminal) =>
      (await import("../commands/sync.ts")).runSync(flags as never, terminal),
  },
  {
    syntax: "ssh [command...]",
    summary: "a shell on the host, or one command; only its pinned key is believed",
    flags: [
      env,
      engine,
      host,
      ["--known-hosts", "print the lines that pin its key, for another client's known_hosts"],
    ],
    run: async (words, flags, terminal) =>
      (await import("../commands/ssh.ts")).runSshCommand(words, flags as never, terminal),
  },
  {
    syntax: "bootstrap",
    summary: "make a machine that is there already ready to serve, over SSH; asks no account",
    flags: [
      ["--host <user@address[:port]>", "the machine"],
      ["--known-host-key <key>", "its public SSH host key, a line or a file; no other is believed"],
      ["--dry-run", "say what would be done and why, and change nothing"],
      ["--facts <file>", "plan for recorded facts instead of a machine"],
      [
        "--engine <engine>",
        "what serves the model",
        "llama.cpp",
        ["llama.cpp", "vllm", "transformers", "diffusers", "none"],
      ],
      ["--torch <release>", 'a Python environment with this PyTorch, such as 2.0, or "newest"'],
      ["--containers", "NVIDIA's container toolkit too"],
      ["--gpu <model>", "what its GPUs must be (default: what it has)"],
      ["--gpus <count>", "how many it must have (default: as many as it has)"],
      ["--driver-branch <branch>", "driver branch, such as 580 (default: by the GPU)"],
      ["--modules <kind>", "kernel modules: open or closed (default: by the GPU)"],
      ["--replace-driver", "replace a driver that works"],
      ["--mirror <url>", "take NVIDIA's packages from there"],
      ["--mirror-keyring-sha256 <sum>", "SHA-256 of the mirror's cuda-keyring package"],
      ["--python-mirror <url>", "take a Python that the system lacks from there"],
      ["--python-mirror-sha256 <sum>", "SHA-256 of the mirror's archive of it"],
      ["--data-folder <path>", "where berth keeps its files on the machine", "/opt/berth"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/bootstrap.ts")).runBootstrap(flags as never, terminal),
  },
  {
    syntax: "bake",
    summary: "make an image of a stack's host, which later ups start from, and take the stack down",
    flags: [
      env,
      engine,
      licence,
      ["--list", "the images that are there, with what they cost"],
      ["--remove <image>", "remove one, with its snapshots"],
      ["--yes", "do not ask; needed where nobody can be asked"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/bake.ts")).runBake(flags as never, terminal),
  },
  {
    syntax: "invoke <prompt...>",
    summary: "ask the model, on either target, and print its answer as it is made",
    flags: [
      env,
      engine,
      host,
      ["--max-tokens <count>", "tokens of the answer at most", "256"],
      ["--temperature <number>", "from 0, which takes the likeliest word, to 2"],
      ["--top-p <share>", "share of the likelihood that words are taken from, 0 to 1"],
      ["--template <text>", "what the prompt is put into, at {prompt}"],
      ["--model <name>", "which model of an endpoint that serves several"],
      ["--variant <name>", "which variant of an endpoint (default: as the traffic is shared)"],
      ["--no-stream", "wait for the whole answer"],
      ["--out <file>", "where the picture of an image model goes (default: picture.png)"],
    ],
    run: async (words, flags, terminal) =>
      (await import("../commands/invoke.ts")).runInvoke(words, flags as never, terminal),
  },
  {
    syntax: "notebook",
    summary:
      "JupyterLab on the host or a notebook instance, with a first notebook that asks the model",
    flags: [
      env,
      engine,
      host,
      ["--host-port <port>", "of the host's loopback", "8888"],
      ["--stop", "end it, with its kernels; the files stay"],
      ["--write <file>", "write the first notebook here instead; also for a SageMaker endpoint"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/notebook.ts")).runNotebook(flags as never, terminal),
  },
  {
    syntax: "bench",
    summary: "load test: latency, tokens/s and $ per 1 M tokens over a ladder of concurrency",
    flags: [
      env,
      engine,
      ["--url <base>", "any server of OpenAI's API instead, such as http://127.0.0.1:8000/v1"],
      ["--endpoint <name>", "a real-time SageMaker endpoint instead, in the region of --env"],
      ["--model <name>", "what --url or --endpoint is asked for (default: its only one)"],
      [
        "--form <form>",
        "how it is asked (default: as the stack's)",
        undefined,
        ["completion", "chat"],
      ],
      ["--concurrency <ladder>", "clients at once, each waiting for its answer", "1,2,4,8,16,32"],
      ["--rate <ladder>", "requests a second instead, whether or not answers come (open loop)"],
      ["--arrivals <kind>", "of an open loop", "poisson", ["poisson", "even"]],
      ["--prompt-tokens <count>", "of a prompt, such as 256 or 128-1024 (default: 256)"],
      ["--answer-tokens <count>", "of an answer at most (default: 128)"],
      ["--prompts <file>", "prompts, one a line, as text or JSON"],
      ["--seed <number>", "of what is random", "1"],
      ["--warm-up <count>", "requests before anything is measured", "3"],
      ["--rung-seconds <seconds>", "of each rung", "30"],
      ["--max-seconds <seconds>", "of the whole", "600"],
      ["--max-requests <count>", "of the whole", "5000"],
      ["--request-timeout <seconds>", "for a whole answer", "120"],
      ["--max-failed <percent>", "above this share of failures it ends", "10"],
      ["--ttft-limit <time>", "for the first token, such as 500ms: the best rung keeps it"],
      ["--latency-limit <time>", "for the whole answer, such as 5s: the best rung keeps it"],
      ["--hourly-usd <usd>", "what an hour costs (default: the stack's price)"],
      [
        "--ignore-eos",
        "answers of the full length, where the server knows that (default on a host)",
      ],
      ["--no-ignore-eos", "let the model end its answer"],
      ["--html <file>", "write charts and table as one page that needs no network"],
    ],
    run: async (_words, flags, terminal) =>
      (await import("../commands/bench.ts")).runBench(flags as never, terminal),
  },
];
