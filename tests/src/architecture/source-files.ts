import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the workspace. */
export const workspace = fileURLToPath(new URL('../../../', import.meta.url));

/** One import or re-export of a source file. */
export interface Import {
  /** As it is written: `'./codes.js'`, `'node:tls'`. */
  readonly name: string;
  /** `import type`, gone at run time. */
  readonly typeOnly: boolean;
}

/** A TypeScript file as the rules of the house see it. */
export interface SourceFile {
  /** From the workspace's folder, with forward slashes: `packages/core/src/index.ts`. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Whether it says `export * from` anywhere. */
  readonly exportsStar: boolean;
  /** Whether it has another apostrophe than '. */
  readonly otherApostrophe: boolean;
}

/** Every TypeScript file below the given folders of the workspace, built and installed ones left out. */
export function readSourceFiles(...folders: string[]): SourceFile[] {
  return folders.flatMap(list).map((file) => parse(file, readFileSync(path.join(workspace, file), 'utf8')));
}

/** Reads what the rules need from a file's text. */
export function parse(file: string, text: string): SourceFile {
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const imports: Import[] = [];
  visit(tree, imports);
  const exportsStar = tree.statements.some(
    (node) => ts.isExportDeclaration(node) && node.exportClause === undefined,
  );
  const otherApostrophe = /[\u2018\u2019]/.test(text);
  return { path: file, lines: text.split('\n').length - 1, imports, exportsStar, otherApostrophe };
}

/** The path a relative import leads to, as its source file is called. */
export function target(from: string, name: string): string {
  return path.posix.join(path.posix.dirname(from), name).replace(/\.js$/, '.ts');
}

function list(folder: string): string[] {
  const entries = readdirSync(path.join(workspace, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) =>
      path.relative(workspace, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'),
    )
    .filter((file) => !/\/(node_modules|dist|\.tmp)\//.test(file));
}

function visit(node: ts.Node, found: Import[]): void {
  const name = moduleName(node);
  if (name !== undefined) found.push({ name, typeOnly: isTypeOnly(node) });
  ts.forEachChild(node, (child) => visit(child, found));
}

function moduleName(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return text(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return text(node.argument.literal);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
    return text(node.arguments[0]);
  return undefined;
}

function text(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteral(node) ? node.text : undefined;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}
