import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";

const folder = dirname(createRequire(import.meta.url).resolve("@pulumi/aws/package.json"));

function parse(path: string): ts.SourceFile {
  const text = readFileSync(join(folder, path), "utf8");
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
}

function nameOf(member: ts.TypeElement | ts.ClassElement): string | undefined {
  return member.name !== undefined && ts.isIdentifier(member.name) ? member.name.text : undefined;
}

/** A property of an interface: whether it may be left out, and the interface of nested values (`inputs.ec2.Name`). */
export interface Declared {
  readonly optional: boolean;
  readonly type: string;
}

function members(node: ts.InterfaceDeclaration, file: ts.SourceFile): Record<string, Declared> {
  return Object.fromEntries(
    node.members
      .filter(ts.isPropertySignature)
      .map((member) => [
        nameOf(member) ?? "",
        { optional: member.questionToken !== undefined, type: member.type?.getText(file) ?? "" },
      ]),
  );
}

/** The file of a token: `aws:ec2/vpc:Vpc` is `ec2/vpc.d.ts`; the package's own folder is `index`. */
function fileOf(token: string): string {
  const path = token.split(":")[1] ?? "";
  return `${path.replace(/^index\//, "")}.d.ts`;
}

/** Inputs and outputs that @pulumi/aws declares for a resource type. */
export function declaredResource(token: string): {
  inputs: Record<string, Declared>;
  outputs: ReadonlySet<string>;
} {
  const file = parse(fileOf(token));
  const name = token.split(":")[2] ?? "";
  const outputs = new Set<string>();
  let inputs: Record<string, Declared> = {};
  for (const node of file.statements) {
    if (ts.isInterfaceDeclaration(node) && node.name.text === `${name}Args`) {
      inputs = members(node, file);
    }
    if (ts.isClassDeclaration(node) && node.name?.text === name) {
      for (const member of node.members) {
        if (ts.isPropertyDeclaration(member)) outputs.add(nameOf(member) ?? "");
      }
    }
  }
  return { inputs, outputs };
}

/** Arguments and results that @pulumi/aws declares for a function. */
export function declaredFunction(token: string): {
  inputs: Record<string, Declared>;
  results: Record<string, Declared>;
} {
  const file = parse(fileOf(token));
  const name = (token.split(":")[2] ?? "").replace(/^get/, "Get");
  const found = (suffix: string) => {
    const node = file.statements.find(
      (one) => ts.isInterfaceDeclaration(one) && one.name.text === `${name}${suffix}`,
    );
    return node === undefined ? {} : members(node as ts.InterfaceDeclaration, file);
  };
  return { inputs: found("Args"), results: found("Result") };
}

let nested: Map<string, Record<string, Declared>> | undefined;

function nestedTypes(): Map<string, Record<string, Declared>> {
  if (nested !== undefined) return nested;
  const file = parse("types/input.d.ts");
  const found = new Map<string, Record<string, Declared>>();
  const visit = (nodes: readonly ts.Statement[], prefix: string) => {
    for (const node of nodes) {
      if (ts.isInterfaceDeclaration(node))
        found.set(`${prefix}${node.name.text}`, members(node, file));
      if (ts.isModuleDeclaration(node) && node.body !== undefined && ts.isModuleBlock(node.body)) {
        visit(node.body.statements, `${prefix}${node.name.text}.`);
      }
    }
  };
  visit(file.statements, "");
  nested = found;
  return found;
}

/** The properties of the interface that a declaration's type names; undefined when it names none. */
export function declaredNested({ type }: Declared): Record<string, Declared> | undefined {
  const name = /inputs\.([\w.]+)/.exec(type)?.[1];
  return name === undefined ? undefined : nestedTypes().get(name);
}
