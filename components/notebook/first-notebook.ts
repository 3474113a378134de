/** The model that a notebook asks, as seen from where its kernel runs. */
export type NotebookModel =
  | {
      readonly kind: "server";
      /** Of OpenAI's API, with the version, such as `http://127.0.0.1:8000/v1`. */
      readonly baseUrl: string;
    }
  | {
      readonly kind: "endpoint";
      /** Of a real-time SageMaker endpoint. */
      readonly endpointName: string;
      readonly region: string;
    };

/** What the first notebook of a stack says and does. */
export interface FirstNotebook {
  readonly modelId: string;
  readonly model: NotebookModel;
  /** Whether the model takes a text to go on with, or a talk. */
  readonly form: "completion" | "chat";
  /** Of the stack; undefined where it is not known. */
  readonly hourlyUsd: number | undefined;
  /** RFC 3339; undefined without an end. */
  readonly expiresAt: string | undefined;
}

function introduction({ modelId, model, hourlyUsd, expiresAt }: FirstNotebook): string {
  const where =
    model.kind === "server"
      ? "The model answers on this machine's own loopback; nothing of it is open to the network."
      : "The model answers through SageMaker's runtime API, with the rights of whoever runs this notebook.";
  const price = hourlyUsd === undefined ? [] : [`An hour costs $${hourlyUsd.toFixed(2)} at most.`];
  const end =
    expiresAt === undefined
      ? ["It has no deadline: take it down with \`berth down\`."]
      : [
          `It ends at ${expiresAt}, and what is on its disk with it; \`berth extend\` gives it more time.`,
        ];
  return [`# Ask ${modelId}`, "", where, ...price, ...end].join("\n");
}

const reading = `def ask(prompt, max_tokens=128, temperature=0.7):
    """Prints the answer as it is made, and returns it with the seconds to its first part and the count of its parts."""
    began, first, parts = time.perf_counter(), None, []
    for data in events(body(prompt, max_tokens, temperature)):
        choice = json.loads(data)["choices"][:1]
        text = read(choice[0]) if choice else ""
        if text:
            first = first or time.perf_counter() - began
            parts.append(text)
            print(text, end="")
    print()
    return "".join(parts), first, len(parts), time.perf_counter() - began`;

const lines = `def events_of(lines):
    """The data of each server-sent event but the last."""
    for line in lines:
        if line.startswith(b"data:") and line[5:].strip() != b"[DONE]":
            yield line[5:]`;

function bodyCode(form: FirstNotebook["form"], name: string | undefined): string {
  const asked =
    form === "chat" ? `"messages": [{"role": "user", "content": prompt}]` : `"prompt": prompt`;
  const read =
    form === "chat"
      ? `return choice.get("delta", {}).get("content") or ""`
      : `return choice.get("text") or ""`;
  const model = name === undefined ? "" : `"model": MODEL, `;
  return `def body(prompt, max_tokens, temperature):
    asked = {${model}${asked}, "max_tokens": max_tokens, "temperature": temperature, "stream": True}
    return json.dumps(asked).encode()


def read(choice):
    ${read}`;
}

function serverCode({ modelId, form }: FirstNotebook, baseUrl: string): string {
  const path = form === "chat" ? "chat/completions" : "completions";
  return `import json
import time
import urllib.request

BASE_URL = ${JSON.stringify(baseUrl)}
MODEL = ${JSON.stringify(modelId)}


${lines}


${bodyCode(form, modelId)}


def events(data):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{BASE_URL}/${path}", data, headers)
    with urllib.request.urlopen(request, timeout=600) as answer:
        yield from events_of(answer)


${reading}`;
}

function endpointCode({ form }: FirstNotebook, endpointName: string, region: string): string {
  return `import json
import time

import boto3

ENDPOINT = ${JSON.stringify(endpointName)}
runtime = boto3.client("sagemaker-runtime", region_name=${JSON.stringify(region)})


${lines}


${bodyCode(form, undefined)}


def events(data):
    answer = runtime.invoke_endpoint_with_response_stream(
        EndpointName=ENDPOINT, ContentType="application/json", Body=data
    )
    rest = b""
    # A piece may end in the middle of an event.
    for piece in answer["Body"]:
        *whole, rest = (rest + piece["PayloadPart"]["Bytes"]).split(b"\\n")
        yield from events_of(whole)
    yield from events_of([rest])


${reading}`;
}

const asking = `answer, first_seconds, parts, seconds = ask("The harbour at night")`;

const measuring = `print(f"first part after {first_seconds or seconds:.2f} s, {parts / seconds:.1f} parts a second over {seconds:.1f} s")`;

function cell(id: string, kind: "code" | "markdown", text: string): object {
  // A notebook keeps a text as its lines, each with its end (https://nbformat.readthedocs.io/en/latest/format_description.html).
  const source = text.split(/(?<=\n)/);
  const code = { execution_count: null, outputs: [] };
  return { cell_type: kind, id, metadata: {}, ...(kind === "code" ? code : {}), source };
}

/** A notebook that asks the stack's model, in Jupyter's format (nbformat 4.5); the same for the same stack. Pure. */
export function firstNotebook(first: FirstNotebook): string {
  const { model } = first;
  const setup =
    model.kind === "server"
      ? serverCode(first, model.baseUrl)
      : endpointCode(first, model.endpointName, model.region);
  const measured = "How fast that was, for one request; \`berth bench\` measures it under load.";
  const notebook = {
    cells: [
      cell("introduction", "markdown", introduction(first)),
      cell("setup", "code", setup),
      cell("ask", "code", asking),
      cell("how-fast", "markdown", measured),
      cell("measure", "code", measuring),
    ],
    metadata: {
      kernelspec: { display_name: "Python 3", language: "python", name: "python3" },
      language_info: { name: "python" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}
