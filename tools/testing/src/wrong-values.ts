import ts from "typescript-5";
import { declarations, publicDeclarations } from "./public-options.ts";

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
