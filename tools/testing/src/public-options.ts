import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-5";
import { publicEntries } from "./api-report.ts";

/** The folder of the packages. */
export const packagesFolder = fileURLToPath(new URL("../../../packages/", import.meta.url));

/** The names of their folders. */
export const packageNames = readdirSync(packagesFolder).filter((name) =>
  existsSync(join(packagesFolder, name, "package.json")),
);

export type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.FunctionDeclaration;

const parsed = new Map<string, ts.SourceFile>();

function parse(file: string): ts.SourceFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  parsed.set(file, source);
  return source;
}

/** The file that a relative import or export names; undefined for packages. */
function fileOf(from: string, module: ts.Expression | undefined): string | undefined {
  if (module === undefined || !ts.isStringLiteral(module) || !module.text.startsWith(".")) return undefined;
  return join(dirname(from), module.text);
}

/** The interfaces, type aliases and functions of a name in a file, or in the file of this package that it comes from. */
export function declarations(file: string, name: string): Declaration[] {
  return parse(file).statements.flatMap((statement): Declaration[] => {
    if (
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isFunctionDeclaration(statement)
    )
      return statement.name?.text === name ? [statement] : [];
    const [clause, module] = ts.isExportDeclaration(statement)
      ? [statement.exportClause, statement.moduleSpecifier]
      : ts.isImportDeclaration(statement)
        ? [statement.importClause?.namedBindings, statement.moduleSpecifier]
        : [];
    const from = fileOf(file, module);
    if (from === undefined || clause === undefined || !(ts.isNamedExports(clause) || ts.isNamedImports(clause)))
      return [];
    const element = [...clause.elements].find((each) => each.name.text === name);
    return element === undefined ? [] : declarations(from, (element.propertyName ?? element.name).text);
  });
}

/** Without the implementation of a function with overloads, whose types no caller sees. */
function seen(found: Declaration[]): Declaration[] {
  return found.length === 1
    ? found
    : found.filter((each) => !ts.isFunctionDeclaration(each) || each.body === undefined);
}

/** What a package's public entries export: name and declarations. */
export function publicDeclarations(name: string): Map<string, Declaration[]> {
  const found = new Map<string, Declaration[]>();
  const visit = (file: string): void => {
    for (const statement of parse(file).statements) {
      if (!ts.isExportDeclaration(statement)) continue;
      const { exportClause, moduleSpecifier } = statement;
      const from = fileOf(file, moduleSpecifier);
      if (exportClause === undefined && from !== undefined) visit(from);
      if (exportClause === undefined || !ts.isNamedExports(exportClause)) continue;
      for (const { name: exported } of exportClause.elements)
        found.set(exported.text, seen(declarations(file, exported.text)));
    }
  };
  for (const [, source] of publicEntries(join(packagesFolder, name))) visit(join(packagesFolder, name, source));
  return found;
}

/** The optional fields of a declaration and of the interfaces that it extends. */
export function optionalFields(declaration: Declaration): ts.PropertySignature[] {
  const fields: ts.PropertySignature[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node) && node.questionToken !== undefined) fields.push(node);
    ts.forEachChild(node, visit);
  };
  const visitBase = (node: ts.Node): void => {
    const file = node.getSourceFile().fileName;
    if (ts.isIdentifier(node)) fields.push(...declarations(file, node.text).flatMap(optionalFields));
    ts.forEachChild(node, visitBase);
  };
  if (ts.isFunctionDeclaration(declaration)) declaration.parameters.forEach(visit);
  else visit(declaration);
  if (ts.isInterfaceDeclaration(declaration)) declaration.heritageClauses?.forEach(visitBase);
  return fields;
}
