import javascript from '@eslint/js'
import typescript from 'typescript-eslint'

/** What no file of ours may do: each of these has been a vulnerability somewhere. */
const bannedSyntax = [
  {
    selector: "Property[key.name='shell'][value.value=true]",
    message: 'No shell: pass the program and its arguments as a list.',
  },
  {
    selector: "CallExpression[callee.property.name=/^readdir(Sync)?$/] Property[key.name='recursive']",
    message: 'Walk folders one level at a time: the recursive form follows what it finds without asking.',
  },
  {
    selector: "CallExpression[callee.name=/^readdir(Sync)?$/] Property[key.name='recursive']",
    message: 'Walk folders one level at a time: the recursive form follows what it finds without asking.',
  },
]

const bannedGlobals = [
  { name: 'fetch', message: 'It decodes bodies and keeps headers across origins: use the transport of registry/http.' },
]

const jsonParse = {
  object: 'JSON',
  property: 'parse',
  message: 'Documents from outside go through util/json.ts, which bounds them.',
}

/** The library takes values, and reads neither the environment nor the terminal. */
const processProperties = ['env', 'argv', 'exit', 'exitCode', 'stdin', 'stdout', 'stderr', 'cwd', 'chdir', 'on', 'once']
const bannedProcess = processProperties.map((property) => ({
  object: 'process',
  property,
  message: 'The library takes values; only src/cli talks to the process.',
}))

export default typescript.config(
  { ignores: ['dist/', 'coverage/', 'fixtures/', 'node_modules/', '.cache/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  javascript.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...typescript.configs.strictTypeChecked, ...typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A `while (true)` with an exit in the middle is often the plainest form.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // Implementations of an asynchronous interface need not await anything themselves.
      '@typescript-eslint/require-await': 'off',
      // An index signature is no promise that the key is there, and noUncheckedIndexedAccess does not cover delete.
      '@typescript-eslint/no-dynamic-delete': 'off',
    },
  },
  {
    rules: {
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', ...bannedSyntax],
      'no-restricted-globals': ['error', ...bannedGlobals],
      eqeqeq: 'error',
      'no-unused-vars': 'off',
      'no-fallthrough': 'error',
      'max-params': ['error', 4],
    },
  },
  {
    files: ['src/**/*.ts', 'bin/**/*.js'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 25],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', jsonParse, ...bannedProcess],
      'no-restricted-imports': ['error', { paths: ['process', 'node:process'] }],
    },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', jsonParse] },
  },
  {
    // The bounded reader of documents from outside.
    files: ['src/util/json.ts', 'src/util/json-structure.ts'],
    rules: { 'no-restricted-properties': ['error', ...bannedProcess] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests speak to servers of their own, and look into what was written.
      'no-restricted-globals': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: nodeGlobals() },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
  {
    files: ['bin/*.js'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'readonly' } },
  },
)

function nodeGlobals() {
  const names = ['process', 'console', 'Buffer', 'URL', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']
  const more = ['setImmediate', 'AbortController', 'AbortSignal', 'TextDecoder', 'TextEncoder', 'performance']
  return Object.fromEntries([...names, ...more].map((name) => [name, 'readonly']))
}
