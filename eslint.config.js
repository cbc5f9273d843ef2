import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import node from 'eslint-plugin-n';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { importRules } from './scripts/architecture/eslint-imports.mjs';

const oldestNode = '^20.19.0 || >=22.12.0';
const libraries = ['packages/core/src/**/*.ts', 'packages/certs/src/**/*.ts', 'packages/pool/src/**/*.ts'];
const nodeGlobals = Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']);

const exportAll = {
  selector: 'ExportAllDeclaration',
  message: 'Export by name: an index is a list that somebody reads.',
};
const keysFromNode = {
  selector:
    "ImportDeclaration[source.value='node:crypto'][importKind='value'] > " +
    "ImportSpecifier[importKind='value'][imported.name=/^(createPublicKey|createPrivateKey|X509Certificate)$/]",
  message:
    'Some malformed keys end the process inside Node: open them with openPublicKey, openPrivateKey or publicHalf of ' +
    'core/src/x509/keys/open-key.ts, which look first, and read certificates with parseCertificate.',
};
const ownNull = {
  selector: 'TSNullKeyword',
  message:
    'What is absent is undefined here; null only where an API of others has it, with the reason beside it.',
};
const oneNameForTests = {
  selector: "ImportDeclaration[source.value='vitest'] > ImportSpecifier[imported.name='test']",
  message: 'Tests are called it everywhere.',
};
const callOfTest = {
  selector:
    "CallExpression[callee.name='test'], CallExpression > MemberExpression[object.name='test'][property.name=/^(each|for|skip|skipIf|runIf|only)$/]",
  message: oneNameForTests.message,
};
const lowerCaseTitles = {
  selector:
    'CallExpression[callee.name=/^(it|describe)$/] > Literal:first-child[value=/^(A|An|The|Without|With|Once|When|If|Each|Every|No|It) /]',
  message: 'A title goes on from the one above it, and begins in lower case.',
};

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', '**/coverage/', '**/.tmp/', '**/.turbo/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: './tsconfig.json',
        tsconfigRootDir: fileURLToPath(new URL('.', import.meta.url)),
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { n: node },
    rules: {
      eqeqeq: ['error', 'always'],
      // crypto.hash is there in every Node we support, without a flag or a warning, though 20 calls it experimental.
      'n/no-unsupported-features/node-builtins': ['error', { version: oldestNode, ignores: ['crypto.hash'] }],
      'n/no-deprecated-api': 'error',
      'n/prefer-node-protocol': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in messages are a rule of this project; everything else still has to be made a string on purpose.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Options come from JavaScript too, and a state may change across an await: such checks are not unnecessary.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // With noUncheckedIndexedAccess every proven index needs its mark: it is the honest spelling, not a danger.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', exportAll],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/core/src/x509/keys/open-key.ts'],
    rules: {
      // A rule that is set again replaces the one above.
      'no-restricted-syntax': ['error', exportAll, keysFromNode],
    },
  },
  {
    files: ['packages/{pool,certs}/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': ['error', exportAll, keysFromNode, ownNull],
    },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': ['error', exportAll, oneNameForTests, callOfTest, lowerCaseTitles],
    },
  },
  {
    files: libraries,
    ignores: ['**/*.test.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        ...['env', 'exit', 'stdout', 'stderr', 'exitCode'].map(unlibrarylike),
      ],
    },
  },
  ...importRules,
  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: Object.fromEntries(nodeGlobals) },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { globals: { require: 'readonly', module: 'writable' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);

function unlibrarylike(property) {
  return {
    object: 'process',
    property,
    message:
      'A library emits events and errors: it never logs, exits or reads the environment. The command (cli) may.',
  };
}
