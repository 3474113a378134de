import { z } from "zod";
import { engineEnvironment, type Engine } from "../adapters/engine.ts";
import { repository } from "../adapters/repository.ts";
import type { EngineCommand } from "../adapters/stack-state.ts";
import type { StackFacts } from "./readings.ts";
import { stackFacts } from "./stack-facts.ts";

const listSchema = z.array(z.looseObject({ name: z.string() }));

/** Reads what the backend holds through the engine, one process at a time, and opens no secret. */
export class EngineReader {
  readonly #engine: Engine;
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Names of this project's stacks. */
  async stackNames(): Promise<readonly string[]> {
    const stacks = listSchema.parse(await this.#run("stack", "ls", "--json"));
    // Backends with organisations say the whole path.
    return stacks.map(({ name }) => name.split("/").at(-1) ?? name).toSorted();
  }

  /** What the state of one stack tells. */
  async facts(stack: string): Promise<StackFacts> {
    return stackFacts(await this.#run("stack", "export", "--stack", stack));
  }

  #run(...words: readonly string[]): Promise<unknown> {
    const next = this.#last.then(async (): Promise<unknown> => {
      // Public at run time, and left out of the SDK's types.
      const command = this.#engine.command as unknown as EngineCommand;
      const environment = await engineEnvironment(undefined);
      const { stdout } = await command.run(
        [...words, "--non-interactive"],
        repository,
        environment,
      );
      return JSON.parse(stdout);
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}
