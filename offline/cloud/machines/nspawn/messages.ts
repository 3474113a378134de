import type { MachineSpec } from "../machine.ts";

/** What the owner of a machine tells its keeper, one JSON document a line. */
export type Order =
  | {
      readonly do: "boot";
      readonly spec: MachineSpec;
      readonly image: string;
      readonly name: string;
    }
  | { readonly do: "reboot" }
  | { readonly do: "write-image"; readonly path: string }
  | { readonly do: "terminate" };

/** What the keeper of a machine tells its owner, one JSON document a line. */
export type Report =
  | { readonly event: "console"; readonly text: string }
  | { readonly event: "ready"; readonly address: string }
  | { readonly event: "image-written"; readonly complaint: string }
  | { readonly event: "failed"; readonly message: string }
  | { readonly event: "ended"; readonly how: "poweroff" | "crashed" };
