import stylistic from '@stylistic/eslint-plugin';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** What a machine can check of docs/style.md beyond the compiler and test/tidy.test.ts. */
export default tseslint.config(
  { ignores: ['node_modules/', '.turnkeeper/', 'coverage/', 'web/api/schema.d.ts'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A forgotten await is a lost error; `void` says that nobody waits on purpose.
      '@typescript-eslint/no-floating-promises': 'error',
      // An underscore says that a parameter or a property is there to be left out.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Objects here are made of closures and know no `this`: taking them apart is how dependencies are passed.
      '@typescript-eslint/unbound-method': 'off',
      // A function may be async for the shape its caller wants, and so that it rejects instead of throwing.
      '@typescript-eslint/require-await': 'off',
      // What libraries type as `any` is caught where it is used: calls, members and returns are still checked.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      // Judges assertions between generic types by their current instances.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    },
  },
  {
    // Prettier breaks every line that it can; comments are ours to wrap.
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs'],
    plugins: { '@stylistic': stylistic },
    rules: {
      '@stylistic/max-len': [
        'error',
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
    },
  },
  {
    files: ['web/**/*.ts', 'web/**/*.tsx'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  {
    // Tests look into answers that are any JSON until the expectation has looked.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
);
