/**
 * What takes options among all that the packages export, with the names of these: read from the types, so that a new
 * function can't be forgotten.
 */
import path from 'node:path';
import ts from 'typescript';
import { workspace } from '../docs/documents.js';

/** A function, constructor or method that takes options. */
export interface OptionTaker {
  /** `listen`, `Pool`, or `Pool.acquire`. */
  readonly name: string;
  readonly options: readonly string[];
}

const entries = [
  'core/src/index.ts',
  'core/src/framing/index.ts',
  'core/src/http/index.ts',
  'core/src/kn-sock.ts',
  'core/src/x509/index.ts',
  'core/src/testing/index.ts',
  'certs/src/index.ts',
  'certs/src/authority-server/index.ts',
  'certs/src/acme/index.ts',
  'pool/src/index.ts',
  'pool/src/kn-sock.ts',
  'cli/src/index.ts',
].map((file) => path.join(workspace, 'packages', file));

/** Types of options, by their names; what a program implements and hands us isn't called with its options. */
const OPTIONS = /^\{|\b\w*(?:Options|Files|Rule|Policy|Rotation|Query|Placement|Opening)\b/;

/** Every one that the packages export, each once. */
export function optionTakers(): OptionTaker[] {
  return exportedBy((checker, name, signature) => takerOf(checker, name, [signature]));
}

/** The names of all functions and methods with parameters that return a promise. */
export function asyncFunctions(): string[] {
  const found = exportedBy((checker, name, signature) => {
    if (ts.isConstructorDeclaration(signature) || signature.parameters.length === 0) return [];
    const type = checker.getReturnTypeOfSignature(
      checker.getSignatureFromDeclaration(signature) as ts.Signature,
    );
    return (type.symbol as ts.Symbol | undefined)?.name === 'Promise' ? [{ name }] : [];
  });
  return found.map(({ name }) => name);
}

/** What is to be known of one declaration. */
type Reader<T> = (checker: ts.TypeChecker, name: string, signature: ts.SignatureDeclaration) => T[];

function exportedBy<T extends { readonly name: string }>(read: Reader<T>): T[] {
  const { config } = ts.readConfigFile(path.join(workspace, 'tsconfig.json'), (file) =>
    ts.sys.readFile(file),
  ) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, workspace);
  const program = ts.createProgram(entries, options);
  const checker = program.getTypeChecker();
  const exported = entries.flatMap((entry) => {
    const source = program.getSourceFile(entry);
    const symbol = source && checker.getSymbolAtLocation(source);
    return symbol === undefined ? [] : checker.getExportsOfModule(symbol);
  });
  const found = exported.flatMap((symbol) => readExport(checker, symbol, read));
  return [...new Map(found.map((taker) => [taker.name, taker])).values()];
}

function readExport<T>(checker: ts.TypeChecker, exported: ts.Symbol, read: Reader<T>): T[] {
  const { name } = exported;
  const symbol =
    (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || !isOurs(declaration)) return [];
  if (ts.isFunctionDeclaration(declaration)) return read(checker, name, declaration);
  if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return [];
  const members: readonly ts.Node[] = name.endsWith('Error') ? [] : declaration.members;
  return members.flatMap((member) => {
    if (ts.isConstructorDeclaration(member)) return read(checker, name, member);
    if (!ts.isMethodDeclaration(member) && !ts.isMethodSignature(member)) return [];
    if (ts.isPrivateIdentifier(member.name)) return [];
    return read(checker, `${name}.${member.name.getText()}`, member);
  });
}

function takerOf(
  checker: ts.TypeChecker,
  name: string,
  signatures: readonly ts.SignatureDeclaration[],
): OptionTaker[] {
  const taken = signatures.flatMap(({ parameters }) => parameters.filter((one) => isOptions(one)));
  if (taken.length === 0) return [];
  const options = taken.flatMap((parameter) => {
    const type = checker.getNonNullableType(checker.getTypeAtLocation(parameter));
    const parts = type.isUnion() ? type.types : [type];
    return parts.flatMap((part) =>
      isData(part) ? checker.getPropertiesOfType(part).map((one) => one.name) : [],
    );
  });
  return [{ name, options: [...new Set(options)] }];
}

/** An options object, or the rest parameter of a function that has none. */
function isOptions({ type, name, dotDotDotToken }: ts.ParameterDeclaration): boolean {
  if (dotDotDotToken !== undefined) return name.getText() === 'options';
  return type !== undefined && OPTIONS.test(type.getText());
}

/** `rotate` takes credentials themselves as well. */
function isData({ symbol }: ts.Type): boolean {
  return (symbol as ts.Symbol | undefined)?.name !== 'Credentials';
}

function isOurs(declaration: ts.Declaration): boolean {
  return declaration.getSourceFile().fileName.startsWith(path.join(workspace, 'packages'));
}
