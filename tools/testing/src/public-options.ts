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
function declarations(file: string, name: string): Declaration[] {
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

/** A value that an optional field must refuse: of another type, or no word of a choice. */
export interface WrongValue {
  readonly field: string;
  readonly value: string | number;
}

/** Wrong values for the options of a public function: fields that are true or false, numbers, or words of a choice. */
export function wrongValues(name: string, exported: string): WrongValue[] {
  const found = (publicDeclarations(name).get(exported) ?? []).filter(ts.isFunctionDeclaration);
  const fields = found.flatMap((declaration) => {
    const last = declaration.parameters.at(-1);
    return last?.type === undefined ? [] : fieldsOf(last.type);
  });
  const wrong = new Map<string, WrongValue>();
  for (const field of fields) {
    const value = field.type === undefined ? undefined : wrongFor(field.type);
    const own = field.name.getText();
    if (value !== undefined) wrong.set(own, { field: own, value });
  }
  return [...wrong.values()];
}

/** The optional fields of a type that is written as an interface, several joined by `&`, or `Omit` and `Pick` of one. */
function fieldsOf(type: ts.TypeNode): ts.PropertySignature[] {
  if (ts.isIntersectionTypeNode(type)) return type.types.flatMap(fieldsOf);
  if (ts.isTypeLiteralNode(type))
    return type.members.filter(ts.isPropertySignature).filter(({ questionToken }) => questionToken !== undefined);
  if (!ts.isTypeReferenceNode(type)) return [];
  return namedFields(type.getSourceFile().fileName, type.typeName.getText(), type.typeArguments);
}

function namedFields(
  file: string,
  name: string,
  typeArguments: readonly ts.TypeNode[] | undefined,
): ts.PropertySignature[] {
  const [inner, keys] = typeArguments ?? [];
  if ((name === "Omit" || name === "Pick") && inner !== undefined && keys !== undefined) {
    const words = new Set([...keys.getText().matchAll(/"(\w+)"/g)].map(([, word]) => word));
    return fieldsOf(inner).filter((field) => words.has(field.name.getText()) === (name === "Pick"));
  }
  return declarations(file, name).flatMap((declaration) => {
    if (ts.isTypeAliasDeclaration(declaration)) return fieldsOf(declaration.type);
    if (!ts.isInterfaceDeclaration(declaration)) return [];
    const bases = (declaration.heritageClauses ?? []).flatMap(({ types }) => types);
    const from = declaration.getSourceFile().fileName;
    return [
      ...bases.flatMap((base) => namedFields(from, base.expression.getText(), base.typeArguments)),
      ...declaration.members.filter(ts.isPropertySignature).filter(({ questionToken }) => questionToken !== undefined),
    ];
  });
}

/** A value that a type excludes; undefined for types of other kinds. */
function wrongFor(type: ts.TypeNode): string | number | undefined {
  const parts = (ts.isUnionTypeNode(type) ? [...type.types] : [type]).filter(
    ({ kind }) => kind !== ts.SyntaxKind.UndefinedKeyword,
  );
  const kinds = new Set(parts.map(kindOf));
  if (kinds.has("other") || (kinds.has("text") && kinds.has("number"))) return undefined;
  if (kinds.has("text")) return 7;
  return "no such value";
}

function kindOf(type: ts.TypeNode): "text" | "number" | "plain" | "other" {
  if (type.kind === ts.SyntaxKind.StringKeyword) return "text";
  if (type.kind === ts.SyntaxKind.NumberKeyword) return "number";
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return "plain";
  if (ts.isLiteralTypeNode(type)) return "plain";
  if (!ts.isTypeReferenceNode(type)) return "other";
  const [alias] = declarations(type.getSourceFile().fileName, type.typeName.getText());
  if (alias === undefined || !ts.isTypeAliasDeclaration(alias)) return "other";
  const kinds = new Set((ts.isUnionTypeNode(alias.type) ? [...alias.type.types] : [alias.type]).map(kindOf));
  return (["other", "text", "number"] as const).find((kind) => kinds.has(kind)) ?? "plain";
}
