// The public surface of every package as text, so that a change of it shows in review: `node scripts/api-report.mjs`
// writes api/*.txt from the built types; `--check`, a part of `npm run check`, fails where they differ.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { publishedPackages } from './packages.mjs';
import { root } from './process.mjs';

const folder = path.join(root, 'api');
const printer = ts.createPrinter({ removeComments: true });

/** What the entry points export, and every type of the package that an export names. */
export function report(entries) {
  const program = ts.createProgram(Object.values(entries), {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  });
  const checker = program.getTypeChecker();
  const own = path.dirname(Object.values(entries)[0]);
  const exportsOf = (file) => {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${file} is missing: npm run build makes it`);
    return checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  };
  const resolved = (symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const shown = new Map();
  const show = (symbol) => {
    const declarations = (symbol.declarations ?? []).map(statementOf).filter((node) => isOwn(node, own));
    if (declarations.length === 0 || shown.has(symbol)) return;
    shown.set(symbol, declarations.map(print).join('\n'));
    for (const node of declarations) visit(node);
  };
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol !== undefined) show(resolved(symbol));
    }
    ts.forEachChild(node, visit);
  };
  const sections = Object.entries(entries).map(([name, file]) => {
    const names = exportsOf(file).map((symbol) => {
      show(resolved(symbol));
      return symbol.name;
    });
    return `${name}\n${names
      .sort()
      .map((exported) => `  ${exported}\n`)
      .join('')}`;
  });
  return `${sections.join('\n')}\n${[...shown.values()].sort().join('\n\n')}\n`;
}

/** A variable is declared by its statement. */
function statementOf(node) {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node;
}

function isOwn(node, place) {
  return (
    node.parent !== undefined &&
    ts.isSourceFile(node.parent) &&
    node.getSourceFile().fileName.startsWith(place)
  );
}

function print(node) {
  return printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
}

function entriesOf({ folder: place, manifest: { name, exports } }) {
  const typed = Object.entries(exports).filter(([, target]) => target.types !== undefined);
  return Object.fromEntries(
    typed.map(([key, target]) => [name + key.slice(1), path.join(place, target.types)]),
  );
}

function main([mode]) {
  for (const one of publishedPackages()) {
    const file = path.join(folder, `${one.manifest.name.split('/')[1]}.txt`);
    const text = report(entriesOf(one));
    const known = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text === known) continue;
    if (mode !== '--check') {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
      continue;
    }
    console.log(`${path.relative(root, file)} differs from what ${one.manifest.name} exports now:`);
    console.log(difference(known, text));
    console.log(
      'Where the change is meant: npm run build && node scripts/api-report.mjs, and commit the file.',
    );
    process.exitCode = 1;
  }
}

/** The lines that only one of two texts has. */
function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const without = (lines, others) => lines.filter((line) => !new Set(others).has(line));
  return [
    ...without(old, now).map((line) => `- ${line}`),
    ...without(now, old).map((line) => `+ ${line}`),
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
